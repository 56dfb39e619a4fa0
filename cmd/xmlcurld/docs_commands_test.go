package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"xmlcurld/db/dbtest"
)

// What stands in a fence of README.md, CONTRIBUTING.md, SECURITY.md or docs/ is run or checked. The fence says how:
//
//   - sql: each statement is executed, in order, against the page's own database, which begins as the demo. An INSERT,
//     UPDATE, DELETE or SELECT has to find a row.
//   - sql refused: the statement must fail, with the message and hint of the text block behind it.
//   - sh: run by bash, in a copy of the checkout. xmlcurld, PostgreSQL's programs and the shell's own are
//     the real ones. xmlcurld serve runs until it listens, on ports of its own. xmlcurld nodes and wait may say that a
//     node is not in sync, since no switch runs here. curl, which may be missing, is a small one of ours that asks a
//     real server. What stands in for make, go, docker, freeswitch and .ci/run does not run them: see stand-ins.
//   - console: a transcript, not run. Of lines with the prompt $, xmlcurld's verb and flags are checked.
//   - yaml: has to parse. "# file: NAME" in its first line makes it a file for the sh blocks after it.
//   - text: right behind a block of sh it is what those commands print, but for times, numbers of edits, marks of secrets, and
//     who and what made an edit. A line … stands for any lines. Elsewhere it is shown only.
//
// An xmlcurld or make command in the text itself is parsed, not run.
type block struct {
	language string
	line     int // of the opening fence
	text     string
}

// before reports whether nothing stands between b and next.
func (b *block) before(next block) bool { return next.line == b.line+strings.Count(b.text, "\n")+3 }

var (
	fence        = regexp.MustCompile("^( *)```(.*)$")
	indentedCode = regexp.MustCompile(`^ {4,}\S`)
)

// readBlocks returns what stands in fences, and the text around them.
func readBlocks(text string) (blocks []block, prose string, err error) {
	var open *block
	indent, last := "", ""
	for n, line := range strings.Split(text, "\n") {
		mark := fence.FindStringSubmatch(line)
		switch {
		case open == nil && mark != nil:
			open, indent = &block{language: mark[2], line: n + 1}, mark[1]
		case open != nil && mark != nil && mark[2] == "":
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		case last == "" && indentedCode.MatchString(line):
			return nil, "", fmt.Errorf("line %d: put code in a fence, so that it is run", n+1)
		default:
			prose += line + "\n"
		}
		last = line
	}
	if open != nil {
		return nil, "", fmt.Errorf("line %d: a fence is not closed", open.line)
	}
	return blocks, prose, nil
}

func TestDocsCommandsRun(t *testing.T) {
	t.Parallel()
	for _, name := range documentation(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, err := range tryPage(t, readFromRoot(t, name)) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// tryPage runs all blocks of a page, and returns what is wrong with it.
func tryPage(t *testing.T, text string) (wrong []error) {
	t.Helper()
	blocks, prose, err := readBlocks(text)
	if err != nil {
		return []error{err}
	}
	p := &page{t: t}
	for i, b := range blocks {
		var next block
		if i+1 < len(blocks) {
			next = blocks[i+1]
		}
		if err := p.try(b, next); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %w", b.line, err))
		}
	}
	for _, code := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(prose, -1) {
		if err := parseCommand(code[1]); err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

// page is what the blocks of one page run against. All of it is made when it is first needed.
type page struct {
	t      *testing.T
	url    string // of its database
	conn   *pgx.Conn
	folder string // a copy of the checkout
	server *program
}

func (p *page) try(b, next block) error {
	switch b.language {
	case "sql":
		return p.execute(b.text)
	case "sql refused":
		return p.refuses(b.text, next)
	case "sh":
		printed, err := p.shell(b.text)
		if err == nil && next.language == "text" && b.before(next) {
			err = prints(printed, next.text)
		}
		return err
	case "console":
		return parseTranscript(b.text)
	case "yaml":
		return p.file(b.text)
	case "text":
		return nil
	}
	return fmt.Errorf("nobody knows how to try a block of language %q", b.language)
}

func (p *page) database() *pgx.Conn {
	p.t.Helper()
	if p.conn == nil {
		p.url = dbtest.DemoURL(p.t)
		var err error
		if p.conn, err = pgx.Connect(p.t.Context(), p.url); err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { _ = p.conn.Close(context.WithoutCancel(p.t.Context())) })
	}
	return p.conn
}

func (p *page) execute(text string) error {
	for _, statement := range splitSQL(text) {
		results, err := p.database().PgConn().Exec(p.t.Context(), statement).ReadAll()
		var fault *pgconn.PgError
		const duplicateObject = "42710"
		if errors.As(err, &fault) && fault.Code == duplicateObject && strings.Contains(statement, "CREATE ROLE ") {
			continue // roles belong to all databases of a server: another test made it
		}
		if err != nil {
			return fmt.Errorf("%w in %s", err, statement)
		}
		tag := results[0].CommandTag
		if (tag.Insert() || tag.Update() || tag.Delete() || tag.Select()) && tag.RowsAffected() == 0 {
			return fmt.Errorf("no row for %s", statement)
		}
	}
	return nil
}

func (p *page) refuses(text string, said block) error {
	_, err := p.database().Exec(p.t.Context(), text)
	var fault *pgconn.PgError
	if !errors.As(err, &fault) {
		return errors.Join(errors.New("not refused"), err)
	}
	if want := fmt.Sprintf("ERROR:  %s\nHINT:  %s\n", fault.Message, fault.Hint); said.language != "text" || said.text != want {
		return fmt.Errorf("the text block behind it does not say\n%s", want)
	}
	return nil
}

// splitSQL splits at each semicolon that ends a statement.
func splitSQL(text string) []string {
	var all []string
	token := regexp.MustCompile(`(?s)'[^']*'|"[^"]*"|--[^\n]*|\$\$.*?\$\$|;|.`)
	var statement strings.Builder
	empty := true
	for _, word := range token.FindAllString(text, -1) {
		if strings.HasPrefix(word, "--") {
			continue
		}
		if word != ";" {
			statement.WriteString(word)
			empty = empty && strings.TrimSpace(word) == ""
			continue
		}
		if !empty {
			all = append(all, strings.TrimSpace(statement.String()))
		}
		statement.Reset()
		empty = true
	}
	if !empty {
		all = append(all, strings.TrimSpace(statement.String()))
	}
	return all
}

// commandTime is for one block of commands.
const commandTime = time.Minute

// varying is what a block of text need not repeat.
var varying = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+( [A-Z]+)?`), "TIME"},
	{regexp.MustCompile(`\bedit \d+`), "edit N"},
	{regexp.MustCompile(`, by \S+ with [^:\n]+`), ", by WHO with WHAT"},
	{regexp.MustCompile(`secret:[0-9a-f]{8}`), "secret:MARK"},
}

// prints fails if what was printed is not what a page says.
func prints(printed, said string) error {
	for _, v := range varying {
		printed, said = v.pattern.ReplaceAllString(printed, v.as), v.pattern.ReplaceAllString(said, v.as)
	}
	var pattern strings.Builder
	for line := range strings.Lines(said) {
		if strings.TrimSpace(line) == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
		} else {
			pattern.WriteString(regexp.QuoteMeta(line))
		}
	}
	if !regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(printed) {
		return fmt.Errorf("the text block behind it differs from what is printed (-printed +said):\n%s", cmp.Diff(printed, said))
	}
	return nil
}

// shell runs a block of commands, and returns what they print.
func (p *page) shell(text string) (string, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), commandTime)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", text)
	command.Dir = p.checkout()
	command.Env = p.environ(text)
	command.WaitDelay = time.Second
	out, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w:\n%s%s", err, text, out)
	}
	return string(out), nil
}

// asCommand makes this test binary what it is called by: xmlcurld, or a stand-in for another program.
const asCommand = "TEST_AS_COMMAND"

// environ is the environment of a block of commands. A server runs beside those that ask one.
func (p *page) environ(text string) []string {
	p.t.Helper()
	p.database()
	checkout, err := filepath.Abs(root)
	if err != nil {
		p.t.Fatal(err)
	}
	binaries, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is well formed: no error
	path := append([]string{filepath.Join(p.folder, ".commands"), os.Getenv("PATH")}, binaries...)
	environ := []string{
		asCommand + "=" + checkout,
		asCommand + "_PATH=" + os.Getenv("PATH"),
		"PATH=" + strings.Join(path, ":"), "HOME=" + p.folder, "LC_ALL=C.UTF-8",
		"DATABASE_URL=" + p.url, "OLD_URL=" + p.url,
		"XMLCURLD_DATABASE_URL=" + p.url, "XMLCURLD_DATA_DIR=" + filepath.Join(p.folder, ".state"),
	}
	if strings.Contains(text, "$NEW_URL") {
		environ = append(environ, "NEW_URL="+dbtest.EmptyURL(p.t))
	}
	if strings.Contains(text, "curl ") || strings.Contains(text, "healthcheck") {
		p.serve()
		admin, err := url.Parse(p.server.admin)
		if err != nil {
			p.t.Fatal(err)
		}
		environ = append(environ, "XMLCURLD_ADMIN_LISTEN="+admin.Host, asCommand+"_XML="+p.server.xml)
	}
	return environ
}

func (p *page) serve() {
	if p.server != nil {
		return
	}
	p.server = bootIn(p.t, []string{"XMLCURLD_DATABASE_URL=" + p.url})
	p.server.awaitReady(p.t, 200, "ready\n")
	if status, _, err := p.server.post("hostname=fs1&section=configuration&tag_name=configuration&key_name=name&key_value=acl.conf"); err != nil || status != 200 {
		p.t.Fatalf("status %d, %v", status, err)
	}
}

// standIns are the programs that do not run. make prints what it would run (make -n), and of that the go commands are
// checked. go: the package, its flags and the tests that are named exist. docker: services, profiles, folders and build
// secrets exist. freeswitch: its folders exist. git and .ci/run do nothing.
var standIns = []string{"make", "go", "docker", "freeswitch", "git"}

// checkout is a copy of this repository, less the program's sources: commands may write to it.
func (p *page) checkout() string {
	p.t.Helper()
	if p.folder != "" {
		return p.folder
	}
	p.folder = p.t.TempDir()
	entries, err := os.ReadDir(root)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !entry.IsDir() && name != ".env" && name != ".git" || slices.Contains([]string{"docs", bootstrap, "testdata"}, name) {
			p.copy(entry)
		}
	}
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range append([]string{"xmlcurld", "curl"}, standIns...) {
		p.link(self, filepath.Join(".commands", name))
	}
	p.link(self, ".ci/run")
	return p.folder
}

// copy copies an entry of the repository.
func (p *page) copy(entry os.DirEntry) {
	p.t.Helper()
	from, to := filepath.Join(root, entry.Name()), filepath.Join(p.folder, entry.Name())
	if entry.IsDir() {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			p.t.Fatal(err)
		}
		return
	}
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) link(to, name string) {
	p.t.Helper()
	name = filepath.Join(p.folder, name)
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.Symlink(to, name)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) file(text string) error {
	var any any
	if err := yaml.Unmarshal([]byte(text), &any); err != nil {
		return err
	}
	first, _, _ := strings.Cut(text, "\n")
	if name, named := strings.CutPrefix(first, "# file: "); named {
		return os.WriteFile(filepath.Join(p.checkout(), name), []byte(text), 0o600)
	}
	return nil
}

// parseTranscript checks what was typed at the prompt $.
func parseTranscript(text string) error {
	for line := range strings.Lines(text) {
		if typed, ok := strings.CutPrefix(line, "$ "); ok {
			if err := parseCommand(strings.TrimSpace(typed)); err != nil {
				return err
			}
		}
	}
	return nil
}

var target = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// parseCommand checks a command of xmlcurld or make. Other words are fine.
func parseCommand(text string) error {
	switch words := strings.Fields(text); {
	case len(words) < 2:
		return nil
	case words[0] == "xmlcurld":
		return parseVerb(words[1:])
	case words[0] == "make" && target.MatchString(words[1]):
		file, err := os.ReadFile(filepath.Join(root, "Makefile"))
		if err == nil && !strings.Contains(string(file), "\n"+words[1]+":") {
			err = errors.New("there is no target " + words[1])
		}
		return err
	}
	return nil
}

// parseVerb checks the verb and its flags. VERB stands for any.
func parseVerb(words []string) error {
	i := slices.IndexFunc(verbs, func(v verb) bool { return v.name == words[0] })
	if words[0] == "VERB" {
		i = 0
	}
	if i < 0 {
		return fmt.Errorf("xmlcurld has no verb %s", words[0])
	}
	flags := pflag.NewFlagSet(words[0], pflag.ContinueOnError)
	flags.Usage = func() {}
	addSettingFlags(flags)
	if verbs[i].flags != nil {
		verbs[i].flags(flags)
	}
	err := flags.Parse(words[1:])
	if errors.Is(err, pflag.ErrHelp) {
		return nil
	}
	if err == nil && flags.NArg() > 0 && verbs[i].operands == "" {
		err = fmt.Errorf("xmlcurld %s takes no %q", words[0], flags.Arg(0))
	}
	return err
}

// A page with a fault fails. Without this nobody would know whether the tests above can.
func TestDocsFaultsAreFound(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"a statement", "```sql\nINSERT INTO number (numbr) VALUES ('1');\n```", "numbr"},
		{"the second statement", "```sql\nSELECT ';' AS a;\nSELECT * FROM nothing;\n```", "nothing"},
		{"a row that is not there", "```sql\nUPDATE gateway SET password = 'p' WHERE name = 'gone';\n```", "no row"},
		{"what is refused", "```sql\nINSERT INTO tenant (name) VALUES ('a b');\n```", "is not a name"},
		{"what is not refused", "```sql refused\nINSERT INTO tenant (name) VALUES ('a');\n```", "not refused"},
		{"another message", "```sql refused\nINSERT INTO tenant (name) VALUES ('a b');\n```\n```text\nERROR:  no\n```", "does not say"},
		{"a verb", "```sh\nxmlcurld serv\n```", "unknown verb"},
		{"a flag", "```sh\nxmlcurld render sofia.conf --nod fs1\n```", "unknown flag"},
		{"what is not found", "```sh\nxmlcurld render user 9999@acme.example\n```", "not found"},
		{"a flag of serve", "```sh\nxmlcurld serve --lissten 127.0.0.1:1\n```", "unknown flag"},
		{"a file of settings", "```yaml\n# file: a.yaml\nlissten: 1\n```\n```sh\nxmlcurld serve --config a.yaml\n```", "no such setting"},
		{"a setting in the environment", "```sh\nXMLCURLD_LISSTEN=1 xmlcurld nodes\n```", "no such setting"},
		{"a path that is not served", "```sh\ncurl -s 127.0.0.1:9180/health\n```", "404"},
		{"an option of curl", "```sh\ncurl --nonsense 127.0.0.1:9180/healthz\n```", "nonsense"},
		{"a metric", "```sh\ncurl -s 127.0.0.1:9180/metrics | grep xmlcurld_request_total\n```", "exit status 1"},
		{"psql", "```sh\npsql \"$DATABASE_URL\" -v ON_ERROR_STOP=1 -c 'DELETE FROM acl_entri'\n```", "acl_entri"},
		{"a target", "```sh\nmake rum\n```", "rum"},
		{"a flag behind a target", "```sh\nmake bench ARGS='-writ docs/benchmarks.md'\n```", "-writ"},
		{"a file to write", "```sh\nmake bench ARGS='-write BENCHMARKS.md'\n```", "BENCHMARKS.md"},
		{"a package", "```sh\ngo test ./section\n```", "./section"},
		{"a test", "```sh\ngo test ./sections -run Goldn\n```", "Goldn"},
		{"a service", "```sh\ndocker compose exec freeswich fs_cli\n```", "freeswich"},
		{"a profile", "```sh\ndocker compose --profile vumy up\n```", "vumy"},
		{"a build context", "```sh\ndocker build --tag a freeswitch-bootstap\n```", "freeswitch-bootstap"},
		{"a conf tree", "```sh\nfreeswitch -conf \"$PWD/freeswitch-bootstrap\"\n```", "freeswitch.xml"},
		{"a command", "```sh\nxmlcurl version\n```", "not found"},
		{"a transcript", "```console\n$ xmlcurld serve --tls-crt a.pem\n```", "tls-crt"},
		{"a verb in the text", "Run `xmlcurld node`.", "no verb node"},
		{"a target in the text", "Run `make rum`.", "no target rum"},
		{"YAML", "```yaml\na: [\n```", "yaml"},
		{"what is printed", "```sh\necho a\n```\n\n```text\nb\n```", "differs"},
		{"less than is printed", "```sh\necho a; echo b\n```\n\n```text\na\n```", "differs"},
		{"more than is printed", "```sh\necho a; echo b\n```\n\n```text\na\n…\nc\n```", "differs"},
		{"a language", "```python\n```", "python"},
		{"code without a fence", "Run\n\n    make run\n", "fence"},
		{"an open fence", "```sh\nmake\n", "not closed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := errors.Join(tryPage(t, tc.text)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}
