package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// FuzzSettings gives a secret with anything around it in every way there is, among other settings that are anything, too.
// Whatever comes of it, the secret is not repeated.
func FuzzSettings(f *testing.F) {
	const marker = "q7Zx"
	f.Add("switch:", "hidden", "listen", "127.0.0.1:8080", "deadline: 1s\n")
	f.Add("postgres://user:", "@host:port/%zz", "database_url", "sslmode=perhaps", "credentials: [a, b]\n")
	f.Add("", "", "log_level", "", "listen\n")
	f.Add("a:\x00", "\n", "demo_rtp_port", "1-99999", "? a\n: b\n")
	f.Add("{{", "}}", "answer_limit", "9223372036854775807", "database_url: &a [*a]\n")
	f.Add("host=a password='", "", "config", "/dev/null", "<<: *x\n")
	f.Fuzz(func(t *testing.T, before, after, key, value, content string) {
		secret := before + marker + after
		file := filepath.Join(t.TempDir(), "settings.yaml")
		kept := filepath.Join(filepath.Dir(file), "secret")
		for name, content := range map[string]string{
			file: content + "\ncredentials: " + fmt.Sprintf("%q", secret) + "\ndatabase_url: " + secret + "\n",
			kept: secret,
		} {
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		other := environmentPrefix + strings.ToUpper(key) + "=" + value
		for _, way := range []struct{ environ, args []string }{
			{args: []string{"--config", file}},
			{environ: []string{"XMLCURLD_CREDENTIALS=" + secret, "XMLCURLD_DATABASE_URL=" + secret, other}},
			{environ: []string{"XMLCURLD_CREDENTIALS_FILE=" + kept, "XMLCURLD_DATABASE_URL_FILE=" + kept, other}},
			{environ: []string{other}, args: []string{"--database-url=" + secret}},
		} {
			flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
			addSettingFlags(flags)
			if err := flags.Parse(way.args); err != nil {
				t.Fatal(err)
			}
			c, err := loadConfig(flags, way.environ, "serve")
			if said := fmt.Sprintf("%v %+v %#v", err, c, c); strings.Contains(said, marker) && !strings.Contains(key+value+content, marker) {
				t.Errorf("%v: %s", way, said)
			}
		}
	})
}
