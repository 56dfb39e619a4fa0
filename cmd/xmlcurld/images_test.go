package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"xmlcurld/testdata"
)

// No Docker engine takes part in these tests: they hold the two Dockerfiles, the compose file and .env.example to the
// program, the demo world and each other.

const (
	root      = "../.."
	bootstrap = "freeswitch-bootstrap"
)

// instruction is one line of a Dockerfile, its continuations joined.
type instruction struct{ word, rest string }

// fields are the words behind the flags (--from=…).
func (i instruction) fields() []string {
	return slices.DeleteFunc(strings.Fields(i.rest), func(f string) bool { return strings.HasPrefix(f, "--") })
}

// command is the exec form in the rest: ["a", "b"].
func (i instruction) command(t *testing.T) []string {
	t.Helper()
	var words []string
	_, list, ok := strings.Cut(i.rest, "[")
	if err := yaml.Unmarshal([]byte("["+list), &words); !ok || err != nil {
		t.Fatalf("%s %s is not in exec form", i.word, i.rest)
	}
	return words
}

type dockerfile []instruction

func readDockerfile(t *testing.T, name string) dockerfile {
	t.Helper()
	var file dockerfile
	var open string
	for line := range strings.Lines(readFromRoot(t, name)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if before, more := strings.CutSuffix(line, `\`); more {
			open += before + " "
			continue
		}
		word, rest, _ := strings.Cut(open+line, " ")
		file = append(file, instruction{word, strings.TrimSpace(rest)})
		open = ""
	}
	return file
}

func (d dockerfile) all(word string) []instruction {
	return slices.DeleteFunc(slices.Clone(d), func(i instruction) bool { return i.word != word })
}

func (d dockerfile) last(t *testing.T, word string) instruction {
	t.Helper()
	all := d.all(word)
	if len(all) == 0 {
		t.Fatalf("there is no %s", word)
	}
	return all[len(all)-1]
}

// copiesWhatExists looks at every COPY from the build context, and returns where the copies go.
func (d dockerfile) copiesWhatExists(t *testing.T, context string) []string {
	t.Helper()
	var targets []string
	for _, i := range d.all("COPY") {
		words := i.fields()
		sources, target := words[:len(words)-1], words[len(words)-1]
		targets = append(targets, target)
		if strings.Contains(i.rest, "--from=") {
			continue
		}
		for _, source := range sources {
			if _, err := os.Stat(filepath.Join(root, context, source)); err != nil {
				t.Errorf("COPY %s: %v", source, err)
			}
		}
	}
	return targets
}

func (d dockerfile) exposes() []string {
	var ports []string
	for _, i := range d.all("EXPOSE") {
		ports = append(ports, i.fields()...)
	}
	return ports
}

func TestServerImage(t *testing.T) {
	t.Parallel()
	image := readDockerfile(t, "Dockerfile")
	targets := image.copiesWhatExists(t, ".")

	if want := []string{presetPort(t, "listen"), presetPort(t, "admin_listen")}; !slices.Equal(image.exposes(), want) {
		t.Errorf("EXPOSE %v, want the presets' %v", image.exposes(), want)
	}
	if user := image.last(t, "USER").rest; !regexp.MustCompile(`^[1-9]\d*(:[1-9]\d*)?$`).MatchString(user) {
		t.Errorf("USER %s: an empty image knows no names, and root is not wanted", user)
	}
	entrypoint := image.last(t, "ENTRYPOINT").command(t)
	if len(entrypoint) != 1 || !slices.Contains(targets, entrypoint[0]) {
		t.Errorf("ENTRYPOINT %v is not what is copied: %v", entrypoint, targets)
	}
	checkVerb(t, image.last(t, "CMD").command(t), "serve")
	health := image.last(t, "HEALTHCHECK").command(t)
	if health[0] != entrypoint[0] {
		t.Errorf("HEALTHCHECK runs %s", health[0])
	}
	checkVerb(t, health[1:], "healthcheck")
}

func TestServerImageBuild(t *testing.T) {
	t.Parallel()
	image := readDockerfile(t, "Dockerfile")

	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(readFromRoot(t, "go.mod"))[1]
	if from := image.all("FROM")[0].rest; !strings.HasPrefix(from, "golang:"+version+"-") {
		t.Errorf("FROM %s, but go.mod wants %s", from, version)
	}
	build := image.last(t, "RUN").rest
	command := strings.Fields(build)
	if info, err := os.Stat(filepath.Join(root, command[len(command)-1])); err != nil || !info.IsDir() {
		t.Errorf("builds %s, which is no package", command[len(command)-1])
	}
	if !strings.Contains(build, "CGO_ENABLED=0 go build ") {
		t.Errorf("an empty image runs static programs only: %s", build)
	}
	linked := regexp.MustCompile(`-X main\.(\w+)=\$\{(\w+)\}`).FindStringSubmatch(build)
	if linked == nil || !slices.Contains(packageVariables(t), linked[1]) {
		t.Fatalf("the linker sets %v, which is no variable of package main", linked)
	}
	if !slices.ContainsFunc(image.all("ARG"), func(i instruction) bool { return strings.HasPrefix(i.rest, linked[2]+"=") }) {
		t.Errorf("there is no ARG %s", linked[2])
	}
}

// What is ignored holds no source, and everything that may hold a secret is ignored.
func TestServerImageIgnores(t *testing.T) {
	t.Parallel()
	patterns := strings.Fields(regexp.MustCompile(`(?m)^#.*`).ReplaceAllString(readFromRoot(t, ".dockerignore"), ""))
	for _, secret := range []string{".env", ".env.production", ".git"} {
		if !slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, secret); return ok }) {
			t.Errorf("%s goes into the build", secret)
		}
	}
	for _, needed := range []string{"go.mod", "go.sum", "cmd", "db", "sections", "testdata", "xmlcurl"} {
		for _, p := range patterns {
			if ok, _ := path.Match(p, needed); ok {
				t.Errorf("%s is kept out of the build by %s", needed, p)
			}
		}
	}
}

func TestFreeSWITCHImage(t *testing.T) {
	t.Parallel()
	image := readDockerfile(t, bootstrap+"/Dockerfile")
	targets := image.copiesWhatExists(t, bootstrap)

	entrypoint := image.last(t, "ENTRYPOINT").command(t)
	if !slices.Contains(targets, entrypoint[0]) {
		t.Errorf("ENTRYPOINT %v is not what is copied: %v", entrypoint, targets)
	}
	info, err := os.Stat(filepath.Join(root, bootstrap, path.Base(entrypoint[0])))
	if err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("%s cannot be run: %v", entrypoint[0], err)
	}
	if command := strings.Join(image.last(t, "CMD").command(t), " "); !strings.HasPrefix(command,
		"stdbuf -i0 -o0 -e0 freeswitch -c -nonat") {
		t.Errorf("CMD %s: not the unbuffered console", command)
	}
	if health := image.last(t, "HEALTHCHECK").rest; !strings.Contains(health, `--execute='sofia status' | grep -q 'profile.*RUNNING'`) {
		t.Errorf("HEALTHCHECK %s does not look at the profiles", health)
	}
	for _, port := range []string{"1719/udp", "1720/tcp", "3478/udp", "3479/udp", "5002/tcp", "5003/tcp", "5060/tcp",
		"5060/udp", "5070/tcp", "5070/udp", "5080/tcp", "5080/udp", "8021/tcp", "16384-32768/udp", "5066/tcp", "7443/tcp"} {
		if !slices.Contains(image.exposes(), port) {
			t.Errorf("port %s is not exposed", port)
		}
	}
}

// Every module that the conf tree or the demo world loads is a package of the image.
func TestFreeSWITCHImagePackages(t *testing.T) {
	t.Parallel()
	packages := readDockerfile(t, bootstrap+"/Dockerfile").last(t, "RUN").fields()
	local := readFromRoot(t, bootstrap+"/conf/autoload_configs/modules.conf.xml")
	modules := regexp.MustCompile(`module="(mod_\w+)"`).FindAllStringSubmatch(local, -1)
	modules = append(modules, regexp.MustCompile(`\('(mod_\w+)'`).FindAllStringSubmatch(testdata.Demo, -1)...)
	if len(modules) < 10 {
		t.Fatalf("only the modules %v were found", modules)
	}
	for _, m := range modules {
		if want := "freeswitch-" + strings.ReplaceAll(m[1], "_", "-"); !slices.Contains(packages, want) {
			t.Errorf("%s is not installed", want)
		}
	}
}

// A frontend that a Dockerfile names is fetched from a registry, and nothing here needs one.
func TestImagesNeedNoFrontend(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Dockerfile", bootstrap + "/Dockerfile"} {
		if strings.Contains(readFromRoot(t, name), "# syntax") {
			t.Errorf("%s names a frontend", name)
		}
	}
}

// A tmpfs over a folder of the image belongs to the image's user, whom runc 1.1.5 forgets unless the ids are named.
func TestComposeTmpfsBelongsToFreeSWITCH(t *testing.T) {
	t.Parallel()
	user := regexp.MustCompile(`groupadd --system --gid (\d+) freeswitch \s*&&\s* useradd --system --uid (\d+) --gid freeswitch `).
		FindStringSubmatch(readDockerfile(t, bootstrap+"/Dockerfile").all("RUN")[0].rest)
	if user == nil {
		t.Fatal("the image makes no user with fixed ids before the packages do")
	}
	seen := 0
	for _, mount := range readCompose(t).Services["freeswitch"].Tmpfs {
		folder, options, _ := strings.Cut(mount, ":")
		if folder == "/tmp" { // sticky in every image
			continue
		}
		seen++
		if !strings.Contains(options, "mode=0700,uid="+user[2]+",gid="+user[1]+",") {
			t.Errorf("%s does not belong to user %s of group %s alone", mount, user[2], user[1])
		}
	}
	if seen == 0 {
		t.Error("answers are written to the disk")
	}
}

// The token is mounted while the packages are installed, and is nowhere else.
func TestFreeSWITCHImageToken(t *testing.T) {
	t.Parallel()
	image := readDockerfile(t, bootstrap+"/Dockerfile")
	mounted := regexp.MustCompile(`--mount=type=secret,id=(\w+),`).FindStringSubmatch(image.last(t, "RUN").rest)
	script := regexp.MustCompile(`--mount=type=bind,source=([\w.]+),`).FindStringSubmatch(image.last(t, "RUN").rest)
	if mounted == nil || script == nil {
		t.Fatalf("RUN %s", image.last(t, "RUN").rest)
	}
	if !strings.Contains(readFromRoot(t, bootstrap+"/"+script[1]), "/run/secrets/"+mounted[1]) {
		t.Errorf("%s does not read the secret %s", script[1], mounted[1])
	}
	for _, i := range append(image.all("ARG"), image.all("ENV")...) {
		if regexp.MustCompile(`(?i)token|secret|password`).MatchString(i.rest) {
			t.Errorf("%s %s stays in the image", i.word, i.rest)
		}
	}
	c := readCompose(t)
	if built := c.Services["freeswitch"].Build; !slices.Equal(built.Secrets, mounted[1:]) {
		t.Errorf("compose gives the build %v, it wants %v", built.Secrets, mounted[1:])
	}
}

// compose is what the tests look at of docker-compose.yml, .env.example's values put in.
type compose struct {
	Services map[string]struct {
		Image, Hostname string
		Tmpfs           []string
		NetworkMode     string `yaml:"network_mode"`
		Build           struct {
			Context string
			Args    map[string]string
			Secrets []string
		}
		Environment                     map[string]string
		Ports, Secrets, Profiles, Links []string
		Volumes                         []string
		Configs                         []struct{ Source, Target string }
		DependsOn                       yaml.Node `yaml:"depends_on"`
		ExternalLinks                   []string  `yaml:"external_links"`
		Healthcheck                     struct{ Test []string }
	}
	Configs map[string]struct{ Content string }
	Secrets map[string]struct{ Environment, File string }
	Volumes map[string]any
}

var interpolation = regexp.MustCompile(`\$\{(\w+)(?:(:-|:\?)([^}]*))?\}`)

func readCompose(t *testing.T) compose {
	t.Helper()
	env := readEnvExample(t)
	text := interpolation.ReplaceAllStringFunc(readFromRoot(t, "docker-compose.yml"), func(reference string) string {
		m := interpolation.FindStringSubmatch(reference)
		switch value := env[m[1]]; {
		case value != "":
			return value
		case m[2] == ":-":
			return m[3]
		default:
			t.Errorf("%s has no value in .env.example", reference)
			return ""
		}
	})
	var c compose
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// readEnvExample reads .env.example as compose reads .env.
func readEnvExample(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{}
	for line := range strings.Lines(readFromRoot(t, ".env.example")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		env[name] = interpolation.ReplaceAllStringFunc(value, func(r string) string { return env[interpolation.FindStringSubmatch(r)[1]] })
	}
	return env
}

func TestComposeHangsTogether(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	for name, s := range c.Services {
		if len(s.Links)+len(s.ExternalLinks) > 0 {
			t.Errorf("%s has links", name)
		}
		if (s.Image == "") == (s.Build.Context == "") {
			t.Errorf("%s has image %q and build %q: one of them", name, s.Image, s.Build.Context)
		}
		if s.Build.Context != "" {
			if _, err := os.Stat(filepath.Join(root, s.Build.Context, "Dockerfile")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, secret := range append(s.Secrets, s.Build.Secrets...) {
			if _, ok := c.Secrets[secret]; !ok {
				t.Errorf("%s: no secret %s", name, secret)
			}
		}
		for _, config := range s.Configs {
			if c.Configs[config.Source].Content == "" || !path.IsAbs(config.Target) {
				t.Errorf("%s: no config %s for %s", name, config.Source, config.Target)
			}
		}
		for _, volume := range s.Volumes {
			if source, _, _ := strings.Cut(volume, ":"); !hasKey(c.Volumes, source) {
				t.Errorf("%s: no volume %s", name, source)
			}
		}
		for _, other := range dependencies(s.DependsOn) {
			if d, ok := c.Services[other]; !ok || len(d.Profiles) > 0 && !slices.Equal(d.Profiles, s.Profiles) {
				t.Errorf("%s depends on %s, which may not be there", name, other)
			}
		}
		for _, value := range s.Environment {
			if secret, ok := strings.CutPrefix(value, "/run/secrets/"); ok && !slices.Contains(s.Secrets, secret) {
				t.Errorf("%s reads the secret %s, which it is not given", name, secret)
			}
		}
	}
	profiles := map[string][]string{}
	for name, s := range c.Services {
		profiles[strings.Join(s.Profiles, ",")] = append(profiles[strings.Join(s.Profiles, ",")], name)
		slices.Sort(profiles[strings.Join(s.Profiles, ",")])
	}
	want := map[string][]string{
		"":     {"freeswitch", "postgres", "prometheus", "xmlcurld"},
		"vumi": {"rabbitmq", "redis", "vumi"},
	}
	if diff := cmp.Diff(want, profiles); diff != "" {
		t.Errorf("services by profile (-want +got):\n%s", diff)
	}
}

// .env.example names what the compose file asks for, all of it and nothing else.
func TestComposeEnvExample(t *testing.T) {
	t.Parallel()
	asked := map[string]bool{}
	for _, m := range interpolation.FindAllStringSubmatch(readFromRoot(t, "docker-compose.yml"), -1) {
		asked[m[1]] = true
	}
	for name, s := range readCompose(t).Secrets {
		if s.Environment == "" || s.File != "" {
			t.Errorf("secret %s does not come from .env", name)
		}
		asked[s.Environment] = true
	}
	given := map[string]bool{}
	for name := range readEnvExample(t) {
		given[name] = true
	}
	if diff := cmp.Diff(asked, given); diff != "" {
		t.Errorf("variables (-asked for +in .env.example):\n%s", diff)
	}
}

// A setting whose name speaks of a secret is a file of /run/secrets or a variable of .env, nothing that stands there.
func TestComposeHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	assignment := regexp.MustCompile(`^\s*(?:- )?"?([\w-]+)"?\s*[:=]\s*(.+)$`)
	speaks := regexp.MustCompile(`(?i)pass|token|credential|secret|auth|database_url|_key$`)
	clean := regexp.MustCompile(`^"?(\$\{\w+:(?:\?[^}]*|-)\}|/run/secrets/\w+)"?$`)
	seen := 0
	for line := range strings.Lines(readFromRoot(t, "docker-compose.yml")) {
		m := assignment.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil || m[1] == "environment" || !speaks.MatchString(m[1]) {
			continue
		}
		seen++
		if !clean.MatchString(m[2]) {
			t.Errorf("a secret in the file: %s", line)
		}
	}
	if seen < 5 {
		t.Errorf("only %d lines were looked at", seen)
	}
}

// The program takes what the compose file gives it, .env.example filled in, and nothing is left over.
func TestComposeSettings(t *testing.T) {
	t.Parallel()
	c, env := readCompose(t), readEnvExample(t)
	server, freeswitch := c.Services["xmlcurld"], c.Services["freeswitch"]

	var environ []string
	for name, value := range server.Environment {
		if secret, ok := strings.CutPrefix(value, "/run/secrets/"); ok {
			value = filepath.Join(t.TempDir(), secret)
			if err := os.WriteFile(value, []byte(env[c.Secrets[secret].Environment]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		environ = append(environ, name+"="+value)
	}
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	addSettingFlags(flags)
	config, err := loadConfig(flags, environ, "serve")
	if err != nil {
		t.Fatal(err)
	}
	if !config.Migrate || !config.Demo {
		t.Errorf("migrate %t, demo %t: a first start would serve nothing", config.Migrate, config.Demo)
	}
	if got := strconv.FormatInt(config.AnswerLimit, 10); got != freeswitch.Environment["BOOTSTRAP_MAX_BYTES"] {
		t.Errorf("the server sends %s bytes, FreeSWITCH takes %s", got, freeswitch.Environment["BOOTSTRAP_MAX_BYTES"])
	}
	if config.Credentials.Reveal() != env["BOOTSTRAP_CREDENTIALS"] || !slices.Contains(freeswitch.Secrets, "bootstrap_credentials") {
		t.Error("the server and FreeSWITCH do not share the credentials")
	}
	asked, err := url.Parse(freeswitch.Environment["BOOTSTRAP_URL"])
	if want := "xmlcurld:" + port(t, config.Listen); err != nil || asked.Host != want || asked.Path != "/xml" {
		t.Errorf("FreeSWITCH asks %s, the server is %s", asked, want)
	}
	if want := "xmlcurld:" + port(t, config.AdminListen); !strings.Contains(c.Configs["prometheus"].Content, `targets: ["`+want+`"]`) {
		t.Errorf("prometheus does not scrape %s", want)
	}
	database, err := url.Parse(config.DatabaseURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	postgres := c.Services["postgres"].Environment
	password, _ := database.User.Password()
	got := []string{database.Hostname(), database.User.Username(), strings.TrimPrefix(database.Path, "/"), password}
	if diff := cmp.Diff([]string{"postgres", postgres["POSTGRES_USER"], postgres["POSTGRES_DB"], env["POSTGRES_PASSWORD"]}, got); diff != "" {
		t.Errorf("DATABASE_URL (-postgres +in .env.example):\n%s", diff)
	}
}

// The RTP range stands in .env alone; the event socket is published nowhere.
func TestComposePorts(t *testing.T) {
	t.Parallel()
	c, env := readCompose(t), readEnvExample(t)
	low, high, _ := strings.Cut(env["RTP_PORT_RANGE"], "-")
	for _, file := range []string{"docker-compose.yml", bootstrap + "/entrypoint.sh"} {
		for _, bound := range []string{low, high} {
			if strings.Contains(readFromRoot(t, file), bound) {
				t.Errorf("%s repeats the RTP port %s", file, bound)
			}
		}
	}
	if got := c.Services["xmlcurld"].Environment["XMLCURLD_DEMO_RTP_PORT"]; got != env["RTP_PORT_RANGE"] {
		t.Errorf("the demo is given the RTP ports %s", got)
	}
	published := c.Services["freeswitch"].Ports
	want := []string{env["RTP_PORT_RANGE"] + ":" + env["RTP_PORT_RANGE"] + "/udp"}
	sip := regexp.MustCompile(`'sip-port',\s*'(\d+)'`).FindAllStringSubmatch(testdata.Demo, -1)
	if len(sip) == 0 {
		t.Fatal("the demo has no SIP ports")
	}
	for _, m := range sip {
		want = append(want, m[1]+":"+m[1]+"/tcp", m[1]+":"+m[1]+"/udp")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(published))); diff != "" {
		t.Errorf("published ports of freeswitch (-want +got):\n%s", diff)
	}
	for name, s := range c.Services {
		for _, p := range s.Ports {
			if name != "freeswitch" && !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s publishes %s to the world", name, p)
			}
		}
	}
}

// The transport listens where the demo's extension connects to, and calls back to where the demo's node listens.
func TestComposeVumi(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	vumi := c.Services["vumi"]
	if vumi.NetworkMode != "service:freeswitch" {
		t.Errorf("network_mode %q", vumi.NetworkMode)
	}
	if len(vumi.Configs) != 1 || vumi.Environment["CONFIG_FILE"] != vumi.Configs[0].Target {
		t.Errorf("CONFIG_FILE %q, configs %v", vumi.Environment["CONFIG_FILE"], vumi.Configs)
	}
	rabbit := c.Services["rabbitmq"].Environment
	if diff := cmp.Diff(
		[]string{"rabbitmq", rabbit["RABBITMQ_DEFAULT_VHOST"], rabbit["RABBITMQ_DEFAULT_USER"], rabbit["RABBITMQ_DEFAULT_PASS"]},
		[]string{vumi.Environment["AMQP_HOST"], vumi.Environment["AMQP_VHOST"], vumi.Environment["AMQP_USERNAME"], vumi.Environment["AMQP_PASSWORD"]},
	); diff != "" {
		t.Errorf("AMQP (-rabbitmq +vumi):\n%s", diff)
	}
	var config struct {
		ToAddr             string            `yaml:"to_addr"`
		TwistedEndpoint    string            `yaml:"twisted_endpoint"`
		FreeSWITCHEndpoint string            `yaml:"freeswitch_endpoint"`
		FreeSWITCHAuth     string            `yaml:"freeswitch_auth"`
		WaitForAnswer      *bool             `yaml:"wait_for_answer"`
		Originate          map[string]string `yaml:"originate_parameters"`
	}
	if err := yaml.Unmarshal([]byte(c.Configs["vumi_transport"].Content), &config); err != nil {
		t.Fatal(err)
	}
	listen := regexp.MustCompile(`^tcp:port=(\d+):interface=(.+)$`).FindStringSubmatch(config.TwistedEndpoint)
	if listen == nil || !strings.Contains(testdata.Demo, "'socket',   '"+listen[2]+":"+listen[1]+" async full'") {
		t.Errorf("no extension of the demo connects to %s", config.TwistedEndpoint)
	}
	if want := "tcp:host=" + demoNode(t, "event_socket_ip") + ":port=" + demoNode(t, "event_socket_port"); config.FreeSWITCHEndpoint != want {
		t.Errorf("calls back to %s, the demo listens at %s", config.FreeSWITCHEndpoint, want)
	}
	if got := demoNode(t, "event_socket_password"); config.FreeSWITCHAuth != got || c.Services["freeswitch"].Environment["EVENT_SOCKET_PASSWORD"] != got {
		t.Errorf("the demo's event socket wants %s", got)
	}
	// The transport's socket exists once the call is answered: waiting for the answer is waiting for ever, and early media would be taken for it.
	if config.WaitForAnswer == nil || *config.WaitForAnswer || !strings.HasPrefix(config.Originate["call_url"], "{{ignore_early_media=true,") {
		t.Errorf("an outbound call to a trunk that rings is silent: %+v", config)
	}
	gateway := regexp.MustCompile(`sofia/gateway/(\w+)/\{to_addr\}$`).FindStringSubmatch(config.Originate["call_url"])
	if gateway == nil || !strings.Contains(testdata.Demo, "('"+gateway[1]+"', ") {
		t.Errorf("the demo has no gateway for %s", config.Originate["call_url"])
	}
	if number := "('" + config.Originate["context"] + "', '" + config.ToAddr + "', 'vumi', 'twilio.inbound'"; !strings.Contains(testdata.Demo, number) {
		t.Errorf("the demo has no number %s…", number)
	}
}

// Each variable that the conf tree and the entrypoint read is passed on by compose and stands in .env.example, and
// freeswitch is given no others.
func TestComposeBootstrapEnvironment(t *testing.T) {
	t.Parallel()
	read := map[string]bool{}
	err := fs.WalkDir(os.DirFS(filepath.Join(root, bootstrap, "conf")), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text := readFromRoot(t, path.Join(bootstrap, "conf", name))
		for _, m := range regexp.MustCompile(`data="\w+=(?:\$|printenv )([A-Z]\w*)`).FindAllStringSubmatch(text, -1) {
			read[m[1]] = true
		}
		return nil
	})
	if err != nil || len(read) != 11 {
		t.Fatalf("the conf tree reads %v: %v", read, err)
	}
	for _, file := range []string{"entrypoint.sh", "Dockerfile"} {
		text := readFromRoot(t, bootstrap+"/"+file)
		for _, m := range regexp.MustCompile(`\$\{([A-Z]\w*):`).FindAllStringSubmatch(text, -1) {
			read[m[1]] = true
		}
	}
	given := map[string]bool{"BOOTSTRAP_CREDENTIALS": true} // the entrypoint makes it of the file
	for name := range readCompose(t).Services["freeswitch"].Environment {
		given[name] = true
	}
	if diff := cmp.Diff(read, given); diff != "" {
		t.Errorf("environment of freeswitch (-read +given):\n%s", diff)
	}
	env := readEnvExample(t)
	for name := range read {
		if _, ok := env[strings.TrimSuffix(name, "_FILE")]; !ok {
			t.Errorf("%s is not in .env.example", name)
		}
	}
}

// One machine needs no environment: the defaults of the conf tree are the program's presets.
func TestBootstrapDefaults(t *testing.T) {
	t.Parallel()
	environment := readFromRoot(t, bootstrap+"/conf/environment.xml")
	defaults := map[string]string{}
	for _, m := range regexp.MustCompile(`\}X-PRE-PROCESS cmd="set" data="(\w+)=([^"]*)"`).FindAllStringSubmatch(environment, -1) {
		defaults[m[1]] = m[2]
	}
	address := "http://" + preset(t, "listen") + "/xml"
	if defaults["bootstrap_url"] != address {
		t.Errorf("asks %s, the server is %s", defaults["bootstrap_url"], address)
	}
	if want := "${BOOTSTRAP_URL:-" + address + "}"; !strings.Contains(readFromRoot(t, bootstrap+"/entrypoint.sh"), want) {
		t.Errorf("entrypoint.sh does not wait for %s", want)
	}
	if got, want := defaults["bootstrap_max_bytes"], preset(t, "answer_limit"); got != want {
		t.Errorf("takes %s bytes, the server sends %s", got, want)
	}
	seconds, err := strconv.Atoi(defaults["bootstrap_timeout"])
	deadline, deadlineErr := time.ParseDuration(preset(t, "deadline"))
	if err != nil || deadlineErr != nil || time.Duration(seconds)*time.Second <= deadline {
		t.Errorf("waits %s s, the server may take %s", defaults["bootstrap_timeout"], preset(t, "deadline"))
	}
}

func checkVerb(t *testing.T, command []string, want string) {
	t.Helper()
	known := slices.ContainsFunc(verbs, func(v verb) bool { return v.name == want })
	if !known || !slices.Equal(command, []string{want}) {
		t.Errorf("runs %v, want the verb %s (known: %t)", command, want, known)
	}
}

func preset(t *testing.T, key string) string {
	t.Helper()
	for _, s := range settings() {
		if s.key == key {
			return s.preset
		}
	}
	t.Fatalf("no setting %s", key)
	return ""
}

func presetPort(t *testing.T, key string) string { t.Helper(); return port(t, preset(t, key)) }

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, ok := strings.Cut(address, ":")
	if !ok {
		t.Fatalf("%q has no port", address)
	}
	return port
}

// demoNode returns what the demo world sets in the common node's row.
func demoNode(t *testing.T, column string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^\s*` + column + `\s*= '?([^',\n]*)`).FindStringSubmatch(testdata.Demo)
	if m == nil {
		t.Fatalf("the demo sets no %s", column)
	}
	return m[1]
}

// packageVariables are the variables of package main.
func packageVariables(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// dependencies are the names in depends_on, which is a list or a map.
func dependencies(node yaml.Node) []string {
	var names []string
	for i, n := range node.Content {
		if node.Kind == yaml.SequenceNode || i%2 == 0 {
			names = append(names, n.Value)
		}
	}
	return names
}

func hasKey(m map[string]any, key string) bool { _, ok := m[key]; return ok }

func readFromRoot(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
