//go:build linux

package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// nginxToken is more than what nginx takes as one word of its configuration, in bytes.
const nginxToken = 3500

// StartNginx starts nginx with one path for each of answers, as the machine would run it for this and nothing else: a
// worker for each processor, no access log.
func StartNginx(ctx context.Context, dir string, answers map[string][]byte) (p *Process, address string, err error) {
	if address, err = FreeAddress(); err != nil {
		return nil, "", err
	}
	dir = filepath.Join(dir, "nginx")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, "", err
	}
	conf, err := nginxConf(dir, address, answers)
	if err != nil {
		return nil, "", err
	}
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, "", err
	}
	if p, err = Start(exec.Command(nginxBinary(), "-p", dir, "-c", file, "-e", "stderr"), dir, "nginx"); err != nil {
		return nil, "", err
	}
	return p, address, p.Await(ctx, func() error { return Accepts(address) })
}

// nginxBinary is where nginx is: Debian's users have no sbin in PATH.
func nginxBinary() string {
	if path, err := exec.LookPath("nginx"); err == nil {
		return path
	}
	return "/usr/sbin/nginx"
}

func nginxConf(dir, address string, answers map[string][]byte) (string, error) {
	var locations strings.Builder
	for path, answer := range answers {
		if len(answer) < nginxToken {
			fmt.Fprintf(&locations, "    location = %s { return 200 %s; }\n", path, nginxQuoted(answer))
			continue
		}
		// A file is answered to GET alone, unless the refusal of POST is itself answered with the file.
		if err := os.WriteFile(filepath.Join(dir, path), answer, 0o644); err != nil {
			return "", err
		}
		fmt.Fprintf(&locations, "    location = %s { root %s; error_page 405 =200 $uri; }\n", path, dir)
	}
	return fmt.Sprintf(`daemon off;
worker_processes auto;
error_log stderr;
pid %[1]s/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  default_type text/xml;
  sendfile on;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  geo $dollar { default "$"; }
  server {
    listen %[2]s;
%[3]s  }
}
`, dir, address, locations.String()), nil
}

// nginxQuoted is answer as one word. A dollar sign begins a variable and cannot be quoted: it comes from one.
func nginxQuoted(answer []byte) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `${dollar}`).Replace(string(answer)) + `"`
}

// NginxVersion is what nginx calls itself.
func NginxVersion() string {
	out, err := exec.Command(nginxBinary(), "-v").CombinedOutput()
	if err != nil {
		return "nginx"
	}
	_, version, _ := strings.Cut(strings.TrimSpace(string(out)), ": ")
	return strings.TrimPrefix(version, "nginx version: ")
}
