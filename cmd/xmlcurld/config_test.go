package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"xmlcurld/db/schema"
)

var update = flag.Bool("update", false, "write the messages that came")

// Each file of the corpus is wrong in its own way; the file beside it is the whole message.
func TestWrongSettingsFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/config/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			code, _, stderr := runOnce(t, nil, "serve", "--config", file)
			if code != exitUsage {
				t.Errorf("exit %d", code)
			}
			message := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(message, []byte(stderr), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(message)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), stderr); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
}

func load(t *testing.T, environ []string, args ...string) (config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	addSettingFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadConfig(flags, environ, "serve")
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPresets(t *testing.T) {
	t.Parallel()
	c, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		DataDir: defaultDataDir(), Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:9180",
		Deadline: 800 * time.Millisecond, HistoryRetention: 90 * 24 * time.Hour, BodyLimit: 1 << 20, AnswerLimit: 16 << 20, MaxInFlight: 48, MaxIncomplete: 2048, LogFormat: "text",
	}
	if diff := cmp.Diff(want, c, cmp.Comparer(func(a, b Secret) bool { return a.Reveal() == b.Reveal() })); diff != "" {
		t.Error(diff)
	}
}

// The file is overruled by the environment, and that by flags; what is empty is as good as not there.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := write(t, "settings.yaml", "deadline: 1s\nbody_limit: 2000\nanswer_limit: 3000\ndemo: true\nlog_level: debug\ndemo_rtp_port:\n")
	c, err := load(t, []string{
		"XMLCURLD_CONFIG=" + file, "XMLCURLD_BODY_LIMIT=20", "XMLCURLD_ANSWER_LIMIT=30", "XMLCURLD_LOG_LEVEL=", "OTHER=1",
		"XMLCURLD_DEMO_RTP_PORT=16384-16394",
	}, "--answer-limit=300", "--demo=false")
	if err != nil {
		t.Fatal(err)
	}
	if c.Deadline != time.Second || c.BodyLimit != 20 || c.AnswerLimit != 300 || c.Demo || c.LogLevel != slog.LevelDebug ||
		c.DemoRTPPort != (schema.Ports{First: 16384, Last: 16394}) {
		t.Errorf("got %+v", c)
	}
}

func TestSecretFiles(t *testing.T) {
	t.Parallel()
	secret := write(t, "credentials", "switch:hidden\n")
	c, err := load(t, []string{"XMLCURLD_CREDENTIALS_FILE=" + secret, "XMLCURLD_LISTEN=:8080"})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Credentials.Reveal(); got != "switch:hidden" {
		t.Errorf("credentials %q", got)
	}
	if fmt.Sprint(c.Credentials) != hidden || strings.Contains(fmt.Sprintf("%+v %#v", c, &c), "hidden") {
		t.Errorf("it shows: %+v", c)
	}
	for _, log := range []func(*strings.Builder) slog.Handler{
		func(b *strings.Builder) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *strings.Builder) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b strings.Builder
		slog.New(log(&b)).Info("settings", "all", c, "one", c.Credentials)
		if strings.Contains(b.String(), "hidden") || !strings.Contains(b.String(), hidden) {
			t.Errorf("log: %s", b.String())
		}
	}
	if encoded, err := json.Marshal(c); err != nil || strings.Contains(string(encoded), "hidden") {
		t.Errorf("json: %s %v", encoded, err)
	}
	inner := struct{ secret Secret }{c.Credentials}
	if text := fmt.Sprintf("%v %+v %#v", inner, inner, inner); strings.Contains(text, "hidden") {
		t.Errorf("in an unexported field: %s", text)
	}
}

func TestWrongEnvironment(t *testing.T) {
	t.Parallel()
	secret := write(t, "credentials", "switch:hidden\n")
	for _, test := range []struct {
		name    string
		environ []string
		args    []string
		want    []string
	}{
		{name: "unknown variable", environ: []string{"XMLCURLD_PASSWORD=hidden"},
			want: []string{"XMLCURLD_PASSWORD: no such setting (in the environment)"}},
		{name: "a file for what is no secret", environ: []string{"XMLCURLD_LISTEN_FILE=/etc/listen"},
			want: []string{"XMLCURLD_LISTEN_FILE: no such setting (in the environment)"}},
		{name: "a secret twice", environ: []string{"XMLCURLD_CREDENTIALS=a:b", "XMLCURLD_CREDENTIALS_FILE=" + secret},
			want: []string{"XMLCURLD_CREDENTIALS and XMLCURLD_CREDENTIALS_FILE are both set: keep one"}},
		{name: "a secret's file is missing", environ: []string{"XMLCURLD_DATABASE_URL_FILE=/nowhere/url"},
			want: []string{`XMLCURLD_DATABASE_URL_FILE = "/nowhere/url": cannot be read: open /nowhere/url: no such file or directory`}},
		{name: "all interfaces without credentials", environ: []string{"XMLCURLD_LISTEN=0.0.0.0:8080"},
			want: []string{`listen = "0.0.0.0:8080": without credentials, require_credentials or tls_client_ca only a loopback address such as 127.0.0.1:8080 is served`}},
		{name: "no host means all interfaces", args: []string{"--listen", ":8080"},
			want: []string{`listen = ":8080": without credentials, require_credentials or tls_client_ca only a loopback address such as 127.0.0.1:8080 is served`}},
		{name: "a name may lead anywhere", args: []string{"--listen", "loopback.example:8080"},
			want: []string{`listen = "loopback.example:8080": without credentials, require_credentials or tls_client_ca only a loopback address such as 127.0.0.1:8080 is served`}},
		{name: "a password on the command line", args: []string{"--database-url", "postgres://xmlcurl:hidden@db.example/xmlcurl"},
			want: []string{`database_url = "***": others can see a password on the command line: set XMLCURLD_DATABASE_URL or XMLCURLD_DATABASE_URL_FILE instead`}},
		{name: "a password among keywords", args: []string{"--database-url", "host=db.example Password = hidden"},
			want: []string{`database_url = "***": others can see a password on the command line: set XMLCURLD_DATABASE_URL or XMLCURLD_DATABASE_URL_FILE instead`}},
		{name: "a password in a parameter", args: []string{"--database-url", "postgres://xmlcurl@db.example/xmlcurl?password=hidden"},
			want: []string{`database_url = "***": others can see a password on the command line: set XMLCURLD_DATABASE_URL or XMLCURLD_DATABASE_URL_FILE instead`}},
		{name: "secrets of nowhere, and the settings' own", args: []string{"--secrets-dir", "/nowhere", "--secrets-env-prefix", "XMLCURLD_"},
			want: []string{`secrets_dir = "/nowhere": not a folder`, `secrets_env_prefix = "XMLCURLD_": the settings themselves begin so`}},
		{name: "all of the environment", args: []string{"--secrets-env-prefix", "X"},
			want: []string{`secrets_env_prefix = "X": not letters, digits and _ that end in _, such as SECRET_`}},
		{name: "networks that are none", args: []string{"--allow-networks", "10.0.0.0/8;127.0.0.1"},
			want: []string{`allow_networks = "10.0.0.0/8;127.0.0.1": "10.0.0.0/8;127.0.0.1" is not a network such as 192.0.2.0/24 or 2001:db8::/32`}},
		{name: "a certificate without its key", args: []string{"--tls-cert", "cert.pem", "--tls-client-ca", "ca.pem"},
			want: []string{`tls_cert = "cert.pem", tls_key = "": give both or neither`}},
		{name: "an authority of clients without TLS", args: []string{"--tls-client-ca", "ca.pem"},
			want: []string{`tls_client_ca = "ca.pem": without tls_cert and tls_key no client shows a certificate`}},
		{name: "two faults of two sources", environ: []string{"XMLCURLD_CREDENTIALS=hidden"}, args: []string{"--deadline", "soon"},
			want: []string{`credentials = "***": not user:password`, `deadline = "soon": not a time such as 800ms`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := runOnce(t, test.environ, append([]string{"serve"}, test.args...)...)
			want := "xmlcurld: wrong settings:\n  " + strings.Join(test.want, "\n  ") + "\n"
			if code != exitUsage || stderr != want {
				t.Errorf("exit %d\n%s\nwant exit %d\n%s", code, stderr, exitUsage, want)
			}
		})
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:8080", "localhost:1", "[::1]:8080", "127.9.9.9:0"} {
		if _, err := load(t, nil, "--listen", address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}
