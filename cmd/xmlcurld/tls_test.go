package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db/dbtest"
)

// over posts a form as mod_xml_curl does over TLS, and returns the serial number of the server's certificate.
func (p *program) over(config *tls.Config, form string) (status int, serial int64, err error) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	response, err := client.Post(p.xml, "application/x-www-form-urlencoded", strings.NewReader(form))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, 0, err
	}
	return response.StatusCode, response.TLS.PeerCertificates[0].SerialNumber.Int64(), nil
}

// eventually looks until check finds no fault.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestServeOverTLS(t *testing.T) {
	t.Parallel()
	ours, switches, strangers := newAuthority(t, "ours"), newAuthority(t, "switches"), newAuthority(t, "strangers")
	files := newTLSFiles(t)
	files.write(t, ours, 11, switches)
	p := boot(t, append(files.args(), "--database-url", dbtest.DemoURL(t))...)
	if !strings.HasPrefix(p.xml, "https://") {
		t.Fatalf("the hint says %s", p.xml)
	}

	welcome := ours.client(t, switches)
	if status, serial, err := p.over(welcome, aclForm); err != nil || status != http.StatusOK || serial != 11 {
		t.Fatalf("with a certificate: %d, certificate %d, %v", status, serial, err)
	}
	for name, config := range map[string]*tls.Config{
		"without a certificate":        ours.client(t),
		"with a stranger's":            ours.client(t, strangers),
		"with one of the server's own": ours.client(t, ours),
	} {
		if status, _, err := p.over(config, aclForm); err == nil {
			t.Errorf("%s: %d", name, status)
		}
	}
	plain, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(p.xml, "https://"), "/xml"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	if line := ask(t, plain, aclForm); strings.Contains(line, " 200 ") {
		t.Errorf("without TLS: %s", line)
	}
	old := welcome.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if status, _, err := p.over(old, aclForm); err == nil {
		t.Errorf("TLS 1.1: %d", status)
	}
	if status, _, err := fetch(http.MethodPost, strings.Replace(p.xml, "https", "http", 1), aclForm); err == nil && status == http.StatusOK {
		t.Error("answered over plain HTTP")
	}
	if _, metrics := p.get("/metrics"); !strings.Contains(metrics, "\nxmlcurld_tls_certificate_expiry_timestamp_seconds 1.") {
		t.Error("no metric of the certificate's end")
	}

	open := p.dial(t, welcome)
	files.write(t, ours, 12, strangers)
	eventually(t, "the new certificate is shown", func() error {
		status, serial, err := p.over(ours.client(t, strangers), aclForm)
		if err == nil && (status != http.StatusOK || serial != 12) {
			err = fmt.Errorf("%d, certificate %d", status, serial)
		}
		return err
	})
	if status, _, err := p.over(welcome, aclForm); err == nil {
		t.Errorf("with a certificate of the former authority: %d", status)
	}
	if line := ask(t, open, aclForm); !strings.HasPrefix(line, "HTTP/1.1 200 ") {
		t.Errorf("a connection that was open before: %s", line)
	}
}

// dial opens a connection of which the server has done its handshake, and that offers HTTP/2.
func (p *program) dial(t *testing.T, config *tls.Config) *tls.Conn {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	config.MaxVersion = tls.VersionTLS12 // in 1.3 the client is done before the server
	conn, err := tls.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(p.xml, "https://"), "/xml"), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if protocol := conn.ConnectionState().NegotiatedProtocol; protocol != "http/1.1" {
		t.Errorf("it speaks %q", protocol)
	}
	return conn
}

// ask posts a form on an open connection and returns the first line of the answer.
func ask(t *testing.T, conn net.Conn, form string) string {
	t.Helper()
	_, err := fmt.Fprintf(conn, "POST /xml HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(form), form)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Error(err)
	}
	return line
}

// What is of no use is told once and changes nothing, until there is something of use.
func TestBrokenTLSFiles(t *testing.T) {
	t.Parallel()
	ours, others := newAuthority(t, "ours"), newAuthority(t, "others")
	files := newTLSFiles(t)
	files.write(t, ours, 1, ours)
	log := &safeBuffer{}
	c, err := newCertificates(config{TLSCert: files.cert, TLSKey: files.key, TLSClientCA: files.clientCA},
		slog.New(slog.NewTextHandler(log, nil)), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	good := c.current.Load()
	_, strangersKey := others.issue(t, 2)
	for _, fault := range []struct {
		name string
		harm func() error
		says string
	}{
		{"another's key", func() error { return os.WriteFile(files.key, strangersKey, 0o600) }, "private key does not match"},
		{"half a certificate", func() error { return os.Truncate(files.cert, 100) }, "failed to find any PEM data"},
		{"no authority", func() error { files.write(t, ours, 3, ours); return os.Truncate(files.clientCA, 0) }, "no certificate in PEM form"},
		{"no file", func() error { return os.Remove(files.key) }, "no such file"},
	} {
		before := log.String()
		if err := fault.harm(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			c.refresh()
		}
		told := strings.TrimPrefix(log.String(), before)
		if strings.Count(told, "\n") != 1 || !strings.Contains(told, fault.says) || c.current.Load() != good {
			t.Errorf("%s: kept: %t, told: %s", fault.name, c.current.Load() == good, told)
		}
	}
	files.write(t, ours, 4, ours)
	c.refresh()
	if c.current.Load() == good || !strings.Contains(log.String(), "took new TLS files") {
		t.Errorf("good files were not taken: %s", log)
	}
}

func TestServeRefusesBrokenTLSFiles(t *testing.T) {
	t.Parallel()
	code, _, stderr := runOnce(t, nil, "serve", "--database-url", dbtest.URL(t), "--tls-cert", "/nowhere/cert", "--tls-key", "/nowhere/key",
		"--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", t.TempDir())
	if code != exitFault || !strings.Contains(stderr, "xmlcurld: TLS: open /nowhere/cert: no such file") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
