package bootstrap

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	defaultURL = "http://127.0.0.1:8080/xml"
	foundIP    = "192.0.2.2" // what FreeSWITCH finds by itself
)

// binding is what mod_xml_curl reads of one binding.
type binding struct {
	URL, Credentials, Timeout, MaxBytes string
	CA, Cert, Key                       string // files; "" means that the parameter is not there
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	plain := binding{URL: defaultURL, Timeout: "2", MaxBytes: "16777216"}
	strange := `no&de:p"a<s>'s $${x} ${y} &amp; %41 \ é#;|$(id) X`
	tests := map[string]struct {
		environment     []string
		bindings        []binding
		switchname, lip string
		eventSocket     string // its password; "" is ClueCon
	}{
		"nothing is set": {bindings: []binding{plain}, lip: foundIP},
		"all is empty": {
			environment: []string{"BOOTSTRAP_URL=", "BOOTSTRAP_URL_2=", "BOOTSTRAP_CREDENTIALS=", "BOOTSTRAP_TIMEOUT=",
				"BOOTSTRAP_MAX_BYTES=", "SWITCHNAME=", "LOCAL_IP=", "EVENT_SOCKET_PASSWORD=",
				"BOOTSTRAP_TLS_CA=", "BOOTSTRAP_TLS_CERT=", "BOOTSTRAP_TLS_KEY="},
			bindings: []binding{plain}, lip: foundIP,
		},
		"all is set": {
			environment: []string{"BOOTSTRAP_URL=https://xn--a.example/xml?a=1&b=2", "BOOTSTRAP_URL_2=http://b.example/xml",
				"BOOTSTRAP_CREDENTIALS=u:p", "BOOTSTRAP_TIMEOUT=3", "BOOTSTRAP_MAX_BYTES=5", "SWITCHNAME=fs1", "LOCAL_IP=127.0.0.9",
				"BOOTSTRAP_TLS_CA=/tls/ca.pem", "BOOTSTRAP_TLS_CERT=/tls/cert.pem", "BOOTSTRAP_TLS_KEY=/tls/key.pem"},
			bindings: []binding{
				{"https://xn--a.example/xml?a=1&b=2", "u:p", "3", "5", "/tls/ca.pem", "/tls/cert.pem", "/tls/key.pem"},
				{"http://b.example/xml", "u:p", "3", "5", "/tls/ca.pem", "/tls/cert.pem", "/tls/key.pem"},
			},
			switchname: "fs1", lip: "127.0.0.9",
		},
		"an authority and no certificate": {
			environment: []string{"BOOTSTRAP_TLS_CA=/tls/ca.pem"},
			bindings:    []binding{{URL: defaultURL, Timeout: "2", MaxBytes: "16777216", CA: "/tls/ca.pem"}}, lip: foundIP,
		},
		"a strange password": {
			environment: []string{"BOOTSTRAP_CREDENTIALS=" + strange, "EVENT_SOCKET_PASSWORD=" + strange},
			bindings:    []binding{{URL: defaultURL, Credentials: strange, Timeout: "2", MaxBytes: "16777216"}}, lip: foundIP, eventSocket: strange,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := preprocessor{environment: test.environment, variables: map[string]string{"local_ip_v4": foundIP}}
			for _, round := range []string{"start", "reloadxml"} { // the variables outlive a reload
				conf := p.load(t)
				if diff := cmp.Diff(test.bindings, conf.bindings(t)); diff != "" {
					t.Errorf("%s: bindings (-want +got):\n%s", round, diff)
				}
				if got := conf.param("switch.conf", "switchname"); got != test.switchname {
					t.Errorf("%s: switchname = %q, want %q", round, got, test.switchname)
				}
				if got := p.variables["local_ip_v4"]; got != test.lip {
					t.Errorf("%s: local_ip_v4 = %q, want %q", round, got, test.lip)
				}
				if got, want := conf.param("event_socket.conf", "password"), orDefault(test.eventSocket); got != want {
					t.Errorf("%s: the event socket's password = %q, want %q", round, got, want)
				}
				for _, secret := range []string{"bootstrap_credentials", "bootstrap_event_socket_password"} {
					if got, ok := p.variables[secret]; ok {
						t.Errorf("%s: %s stayed in a global variable: %q", round, secret, got)
					}
				}
			}
			shells := 1 // a reload runs none, since calls wait meanwhile
			if test.eventSocket == strange {
				shells = 6 // but for what else could not stand in XML
			}
			if p.shells != shells {
				t.Errorf("a start and a reload ran %d shells, want %d", p.shells, shells)
			}
		})
	}
}

func orDefault(password string) string {
	if password == "" {
		return "ClueCon"
	}
	return password
}

func TestTree(t *testing.T) {
	t.Parallel()
	p := preprocessor{variables: map[string]string{}}
	conf := p.load(t)
	modules := []string{}
	for _, m := range conf.named("modules.conf").Loads {
		modules = append(modules, m.Module)
	}
	if diff := cmp.Diff([]string{"mod_console", "mod_logfile", "mod_xml_curl", "mod_commands", "mod_event_socket"}, modules); diff != "" {
		t.Errorf("local modules (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{"listen-ip": "127.0.0.1", "listen-port": "8021", "apply-inbound-acl": "loopback.auto"} {
		if got := conf.param("event_socket.conf", name); got != want {
			t.Errorf("event_socket.conf: %s = %q, want %q", name, got, want)
		}
	}
	// FreeSWITCH crashes when mod_xml_curl is loaded that early.
	if early := conf.named("pre_load_modules.conf").Loads; len(early) != 0 {
		t.Errorf("pre_load_modules.conf loads %v", early)
	}
	want := []context{{Name: "global", Actions: []action{{"respond", "503"}}}}
	if diff := cmp.Diff(want, conf.Contexts); diff != "" {
		t.Errorf("contexts (-want +got):\n%s", diff)
	}
}

// An editor and a validator read the sources as they stand.
func TestSourcesAreWellFormed(t *testing.T) {
	t.Parallel()
	for _, file := range glob(t, "conf/*.xml", "conf/*/*.xml") {
		d := xml.NewDecoder(strings.NewReader(read(t, file)))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", file, err)
				break
			}
		}
	}
}

// The second answer comes from a server that has nothing for the node: that is worth waiting, too.
func TestEntrypointWaits(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := `u:p"x\ y`
	write(t, filepath.Join(dir, "secret"), secret+"\n", 0o600)
	write(t, filepath.Join(dir, "sleep"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "curl"), `#!/bin/sh
cat >>"$DIR/stdin"
echo "$@" >>"$DIR/calls"
case $(wc -l <"$DIR/calls") in
1) echo "curl: (7) no route" >&2; exit 7 ;;
2) echo '<result status="not found"/>' ;;
*) echo '<load module="mod_sofia"/>' ;;
esac
`, 0o755)

	run := exec.Command("./entrypoint.sh", "sh", "-c", `printf %s "$BOOTSTRAP_CREDENTIALS"`)
	run.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "DIR=" + dir, "SWITCHNAME=fs1",
		"BOOTSTRAP_CREDENTIALS_FILE=" + filepath.Join(dir, "secret"), "BOOTSTRAP_TLS_CA=/tls/ca.pem",
		"BOOTSTRAP_TLS_CERT=/tls/cert.pem", "BOOTSTRAP_TLS_KEY=/tls/key.pem"}
	var stderr strings.Builder
	run.Stderr = &stderr
	stdout, err := run.Output()
	if err != nil {
		t.Fatalf("entrypoint: %v\n%s", err, stderr.String())
	}
	if string(stdout) != secret {
		t.Errorf("FreeSWITCH would get the credentials %q, want %q", stdout, secret)
	}
	calls := read(t, filepath.Join(dir, "calls"))
	if got := strings.Count(calls, "\n"); got != 3 {
		t.Errorf("asked %d times, want 3", got)
	}
	if !strings.Contains(calls, "hostname=fs1&") || !strings.Contains(calls, defaultURL) {
		t.Errorf("asked with %s", calls)
	}
	if strings.Contains(calls, "p\"x") {
		t.Errorf("the password stands on a command line: %s", calls)
	}
	if want := `user = "u:p\"x\\ y"` + "\ncacert = \"/tls/ca.pem\"\ncert = \"/tls/cert.pem\"\nkey = \"/tls/key.pem\"\n"; !strings.HasPrefix(read(t, filepath.Join(dir, "stdin")), want) {
		t.Errorf("curl was told %q, want %q", read(t, filepath.Join(dir, "stdin")), want)
	}
	if want := "waiting for " + defaultURL + ": curl: (7)"; !strings.Contains(stderr.String(), want) {
		t.Errorf("said %q, want %q in it", stderr.String(), want)
	}
}

// image is a folder with stand-ins for the programs of the image: curl finds the server and its modules, sleep does not
// wait, and each look at the clock is a minute after the one before.
func image(t *testing.T) (run func(command string) *exec.Cmd, dir string) {
	t.Helper()
	dir = t.TempDir()
	write(t, filepath.Join(dir, "curl"), "#!/bin/sh\necho '<load module=\"mod_commands\"/>'\necho '<load module=\"mod_sofia\"/>'\n", 0o755)
	write(t, filepath.Join(dir, "sleep"), "#!/bin/sh\n", 0o755)
	write(t, filepath.Join(dir, "date"), "#!/bin/sh\necho >>\"$DIR/dates\"\necho $(($(wc -l <\"$DIR/dates\") * 60))\n", 0o755)
	write(t, filepath.Join(dir, "fs_cli"), "#!/bin/sh\necho true\n", 0o755)
	return func(command string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "./entrypoint.sh", "sh", "-c", command)
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "DIR=" + dir}
		return cmd
	}, dir
}

// What a command may begin with: a line for each start, and a clock by which it ends as soon as it was started.
const (
	started    = `echo started >>"$DIR/starts"; `
	shortLived = `printf '#!/bin/sh\necho 0\n' >"$DIR/date"; `
)

// Whoever shares the container's network would lose it with a new container.
func TestEntrypointStartsAgain(t *testing.T) {
	t.Parallel()
	run, dir := image(t)
	out, err := run(started + `[ $(wc -l <"$DIR/starts") -ge 3 ] || kill -KILL $$; ` + shortLived + `exit 7`).CombinedOutput()
	if code := exitCode(t, err); code != 7 {
		t.Errorf("ended with %d, want the 7 of a FreeSWITCH that does not stay up: %s", code, out)
	}
	if got := strings.Count(read(t, filepath.Join(dir, "starts")), "\n"); got != 3 {
		t.Errorf("started %d times, want 3", got)
	}
	if got := strings.Count(string(out), "ended with status 137: starting it again"); got != 2 {
		t.Errorf("said %q", out)
	}
}

// The server answered the entrypoint and went away before FreeSWITCH asked it.
func TestEntrypointEndsAnEmptySwitch(t *testing.T) {
	t.Parallel()
	run, dir := image(t)
	// A look waits for the start that it looks at, and only the second has its modules.
	write(t, filepath.Join(dir, "fs_cli"), `#!/bin/sh
case "$*" in *"module_exists mod_sofia"*) ;; *) exit 1 ;; esac
if [ ! -e "$DIR/ended" ]; then
	until [ -e "$DIR/starts" ]; do :; done
	echo false
else
	until [ $(wc -l <"$DIR/starts") -eq 2 ]; do :; done
	echo true
	echo >"$DIR/filled"
fi
`, 0o755)
	cmd := run(`trap 'echo >"$DIR/ended"; exit 0' TERM; ` + started + `while [ ! -e "$DIR/filled" ]; do :; done; ` + shortLived + `exit 3`)
	out, err := cmd.CombinedOutput()
	if code := exitCode(t, err); code != 3 {
		t.Errorf("ended with %d, want 3: %s", code, out)
	}
	if !strings.Contains(string(out), "came up without mod_sofia: starting it again") {
		t.Errorf("said %q", out)
	}
	if got := strings.Count(read(t, filepath.Join(dir, "starts")), "\n"); got != 2 {
		t.Errorf("started %d times, want 2", got)
	}
}

// A container that is stopped ends at once, whether it waits for a server or has a FreeSWITCH to end first.
func TestEntrypointStops(t *testing.T) {
	t.Parallel()
	const answers, fails = "echo '<load module=\"mod_commands\"/>'\n", "echo >\"$DIR/ready\"; exit 7\n"
	for name, test := range map[string]struct {
		curl, freeswitch string
		code             int
	}{
		"while it waits":       {curl: fails, code: 143},
		"while it runs":        {curl: answers, freeswitch: `trap 'exit 5' TERM; echo >"$DIR/ready"; while :; do :; done`, code: 5},
		"while it waits again": {curl: `[ -e "$DIR/starts" ] || exec ` + answers + fails, freeswitch: started + "exit 0", code: 143},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, dir := image(t)
			write(t, filepath.Join(dir, "curl"), "#!/bin/sh\n"+test.curl, 0o755)
			write(t, filepath.Join(dir, "sleep"), "#!/bin/sh\nexec /bin/sleep \"$@\"\n", 0o755)
			cmd := run(test.freeswitch)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			awaitFile(t, filepath.Join(dir, "ready"))
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code := exitCode(t, cmd.Wait()); code != test.code {
				t.Errorf("ended with %d, want %d", code, test.code)
			}
		})
	}
}

func awaitFile(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is no %s", name)
		}
	}
}

// exitCode is what a program ended with. One that could not be run at all fails the test.
func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		t.Fatal(err)
	}
	return exit.ExitCode()
}

// A build without a token that is taken ends at once and says what to do: neither is mended by trying again.
func TestInstallNeedsAToken(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		token, status, says string
		tries               int
	}{
		"none":                   {token: "", says: "the token is empty: export SIGNALWIRE_TOKEN=", tries: 0},
		"a wrong one":            {token: "wrong", status: "401", says: "does not take the token", tries: 1},
		"one of another account": {token: "other", status: "403", says: "does not take the token", tries: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, "signalwire_token"), test.token, 0o600)
			write(t, filepath.Join(dir, "install.sh"), strings.ReplaceAll(read(t, "install.sh"), "/run/secrets", dir), 0o755)
			write(t, filepath.Join(dir, "apt-get"), "#!/bin/sh\n", 0o755)
			write(t, filepath.Join(dir, "sleep"), "#!/bin/sh\n", 0o755)
			write(t, filepath.Join(dir, "curl"), "#!/bin/sh\necho >>\"$DIR/tries\"; printf "+test.status+"\n", 0o755)
			cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "install.sh"), "freeswitch")
			cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "DIR=" + dir, "FREESWITCH_REPO=https://packages.example/debian"}
			out, err := cmd.CombinedOutput()
			if code := exitCode(t, err); code != 1 || !strings.Contains(string(out), test.says) {
				t.Errorf("ended with %d and said %q", code, out)
			}
			tries, _ := os.ReadFile(filepath.Join(dir, "tries")) // no file: none
			if got := strings.Count(string(tries), "\n"); got != test.tries {
				t.Errorf("tried %d times, want %d", got, test.tries)
			}
		})
	}
}

// tree is what FreeSWITCH keeps of freeswitch.xml.
type tree struct {
	Configurations []configuration `xml:"section>configuration"`
	Contexts       []context       `xml:"section>context"`
}

type configuration struct {
	Name     string  `xml:"name,attr"`
	Settings []param `xml:"settings>param"`
	Loads    []struct {
		Module string `xml:"module,attr"`
	} `xml:"modules>load"`
	Bindings []struct {
		Params []param `xml:"param"`
	} `xml:"bindings>binding"`
}

type param struct {
	Name     string `xml:"name,attr"`
	Value    string `xml:"value,attr"`
	Bindings string `xml:"bindings,attr"`
}

type context struct {
	Name    string   `xml:"name,attr"`
	Actions []action `xml:"extension>condition>action"`
}

type action struct {
	Application string `xml:"application,attr"`
	Data        string `xml:"data,attr"`
}

func (c tree) named(name string) configuration {
	for _, conf := range c.Configurations {
		if conf.Name == name {
			return conf
		}
	}
	return configuration{}
}

func (c tree) param(conf, name string) string {
	for _, p := range c.named(conf).Settings {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

func (c tree) bindings(t *testing.T) []binding {
	t.Helper()
	var all []binding
	for _, b := range c.named("xml_curl.conf").Bindings {
		values := map[string]string{}
		for _, p := range b.Params {
			values[p.Name] = p.Value
			if p.Value == "" && strings.HasPrefix(p.Name, "ssl-") {
				t.Errorf("%s has no value: libcurl would look for a file of that name", p.Name)
			}
			if p.Name == "gateway-url" && p.Bindings != "configuration|directory|dialplan|languages|chatplan|channels" {
				t.Errorf("a binding asks for %q only", p.Bindings)
			}
		}
		if values["enable-cacert-check"] != "true" || values["enable-ssl-verifyhost"] != "true" {
			t.Error("a binding does not verify TLS")
		}
		all = append(all, binding{values["gateway-url"], values["gateway-credentials"], values["timeout"],
			values["response-max-bytes"], values["ssl-cacert-file"], values["ssl-cert-path"], values["ssl-key-path"]})
	}
	return all
}

// preprocessor follows the rules of FreeSWITCH's own, as far as the conf tree uses them.
type preprocessor struct {
	environment []string
	variables   map[string]string
	shells      int // that it ran
}

var (
	variable  = regexp.MustCompile(`\$\$\{([^}]*)\}`)
	directive = regexp.MustCompile(`(?i)x-pre-process\s+cmd="([^"]*)"\s+data="([^"]*)"`)
)

func (p *preprocessor) load(t *testing.T) tree {
	t.Helper()
	text := p.file(t, "conf/freeswitch.xml")
	var conf tree
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = false // FreeSWITCH leaves a bare & alone, too
	if err := d.Decode(&conf); err != nil {
		t.Fatalf("the tree does not parse: %v\n%s", err, text)
	}
	return conf
}

func (p *preprocessor) file(t *testing.T, name string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(read(t, name)) {
		start, _, _ := strings.Cut(line, "$${")
		if strings.Contains(start, "<include>") || strings.Contains(start, "</include>") || strings.Contains(start, "<?") {
			continue
		}
		line = variable.ReplaceAllStringFunc(line, func(v string) string { return p.variables[v[3:len(v)-1]] })
		at := strings.Index(strings.ToLower(line), "x-pre-process")
		if at < 0 {
			out.WriteString(line)
			continue
		}
		if m := directive.FindStringSubmatch(line[at:]); m != nil && at > 0 && line[at-1] == '<' {
			p.obey(t, &out, filepath.Dir(name), m[1], m[2])
		}
	}
	return out.String()
}

func (p *preprocessor) obey(t *testing.T, out io.StringWriter, dir, command, data string) {
	t.Helper()
	name, value, _ := strings.Cut(data, "=")
	switch command {
	case "set":
		p.set(name, strings.TrimSpace(value))
	case "env-set":
		for _, entry := range p.environment {
			if key, value, _ := strings.Cut(entry, "="); "$"+key == data[len(name)+1:] {
				p.set(name, value)
			}
		}
	case "exec-set":
		p.shells++
		run := exec.Command("sh", "-c", value)
		run.Env = append(p.environment, "PATH="+os.Getenv("PATH"))
		result, err := run.Output()
		if err != nil {
			t.Fatalf("%s: %v", value, err)
		}
		if text := strings.TrimRight(string(result), " \n"); text != "" {
			p.set(name, text)
		}
	case "include":
		if !filepath.IsAbs(data) {
			data = filepath.Join(dir, data)
		}
		for _, file := range glob(t, data) {
			_, _ = out.WriteString(p.file(t, file))
		}
	default:
		t.Fatalf("a directive that this test does not know: %s", command)
	}
}

// set does to the value what FreeSWITCH does: an empty one deletes the variable, and ${ loses its dollar.
func (p *preprocessor) set(name, value string) {
	if value == "" {
		delete(p.variables, name)
		return
	}
	p.variables[name] = strings.ReplaceAll(value, "${", "%{")
}

func glob(t *testing.T, patterns ...string) []string {
	t.Helper()
	var files []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no files to include at %s", pattern) // FreeSWITCH logs it
		}
		files = append(files, found...)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// write waits until no other test is starting a program: a child that is forked while the file is open for writing
// keeps it open for a moment, and meanwhile the kernel refuses to run the file (ETXTBSY).
func write(t *testing.T, file, content string, mode os.FileMode) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
