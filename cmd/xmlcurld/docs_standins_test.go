package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// actAs is this test binary as a command of the documentation. checkout is the repository.
func actAs(name, checkout string, args []string) int {
	var err error
	switch name {
	case "xmlcurld":
		return documentedVerb(args)
	case "curl":
		err = documentedRequest(args)
	case "make":
		err = documentedMake(checkout, args)
	case "go":
		err = documentedGo(checkout, args)
	case "docker":
		err = documentedDocker(checkout, args)
	case "freeswitch":
		err = documentedSwitch(args)
	case "git":
	case "run":
		_, err = os.Stat(filepath.Join(checkout, ".ci", "run"))
	default:
		err = errors.New("nothing stands in for it")
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s %s: %v\n", name, strings.Join(args, " "), err)
		return exitFault
	}
	return exitOK
}

var behind = regexp.MustCompile(`not in (step|sync): `)

// documentedVerb is the real program. No switch runs here, so nodes and wait may find one that is not in sync.
func documentedVerb(args []string) int {
	if len(args) == 0 {
		return exitUsage
	}
	switch args[0] {
	case "serve":
		return serveBriefly(args)
	case "wait":
		args = append(args, "--timeout", "2s")
	}
	var complaint bytes.Buffer
	code := run(context.Background(), args, os.Environ(), os.Stdout, io.MultiWriter(os.Stderr, &complaint))
	if code == exitFault && (args[0] == "nodes" || args[0] == "wait") && behind.Match(complaint.Bytes()) {
		return exitOK
	}
	return code
}

// serveBriefly serves on ports that are free until it prints its hints.
func serveBriefly(args []string) int {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime/2)
	defer cancel()
	out, in := io.Pipe()
	served := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if adminURL.MatchString(lines.Text()) {
				served <- true
				cancel()
			}
		}
	}()
	code := run(ctx, append(args, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"), os.Environ(), in, os.Stderr)
	select {
	case <-served:
		return code
	default:
		return max(code, exitFault)
	}
}

// documentedRequest is as much of curl as the pages use. An address with a preset port leads to the server beside.
func documentedRequest(args []string) error {
	method, body, address := http.MethodGet, "", ""
	for i := 0; i < len(args); i++ {
		switch {
		case slices.Contains([]string{"-s", "-f", "-sf"}, args[i]):
		case args[i] == "-d" && i+1 < len(args):
			i++
			method, body = http.MethodPost, args[i]
		case strings.HasPrefix(args[i], "-") || address != "":
			return fmt.Errorf("%s is not known here", args[i])
		default:
			address = args[i]
		}
	}
	path, isAdmin := strings.CutPrefix(strings.TrimPrefix(address, "http://"), "127.0.0.1:9180")
	_, isXML := strings.CutPrefix(strings.TrimPrefix(address, "http://"), "127.0.0.1:8080/xml")
	switch {
	case isAdmin:
		address = "http://" + os.Getenv("XMLCURLD_ADMIN_LISTEN") + path
	case isXML:
		address = os.Getenv(asCommand + "_XML")
	default:
		return errors.New("no server has this address")
	}
	http.DefaultClient.Timeout = 10 * time.Second
	status, answer, err := fetch(method, address, body)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, answer)
	}
	fmt.Print(answer)
	return err
}

// documentedMake has make print what it would run, and looks at the go commands among that.
func documentedMake(checkout string, args []string) error {
	command := exec.Command("make", append([]string{"-n", "--no-print-directory", "-C", checkout}, args...)...)
	command.Env = append(os.Environ(), "PATH="+os.Getenv(asCommand+"_PATH"))
	if command.Path = lookIn(os.Getenv(asCommand+"_PATH"), "make"); command.Path == "" {
		return errors.New("there is no make")
	}
	command.Err = nil
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "go" && words[1] != "build" {
			if err := documentedGo(checkout, words[1:]); err != nil {
				return err
			}
		}
	}
	return nil
}

func lookIn(path, name string) string {
	for _, dir := range filepath.SplitList(path) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode()&0o111 != 0 {
			return filepath.Join(dir, name)
		}
	}
	return ""
}

// goFlags are go test's own.
var goFlags = []string{"race", "shuffle", "count", "tags", "v", "p", "timeout", "short", "fuzz", "fuzztime"}

// documentedGo checks go run and go test: that the package is there, and that its sources know the flags, verbs, tests and
// benchmarks that are named, and that files to be written exist. Nothing is compiled.
func documentedGo(checkout string, args []string) error {
	i := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "./") })
	if i < 0 || args[0] != "run" && args[0] != "test" {
		return errors.New("neither go run nor go test of a package")
	}
	source, err := sources(filepath.Join(checkout, strings.TrimSuffix(args[i], "/...")))
	if err != nil || source == "" {
		return fmt.Errorf("%s: no sources: %w", args[i], err)
	}
	args = slices.Delete(slices.Clone(args), i, i+1)
	for i := 1; i < len(args) && !strings.HasPrefix(args[i], "#"); i++ {
		name, value, _ := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if value == "" && i+1 < len(args) {
			value = strings.Trim(args[i+1], `'"`)
		}
		if !strings.HasPrefix(args[i], "-") {
			continue // a verb or a value
		}
		switch {
		case name == "run" || name == "bench":
			if value != "xxx" && !regexp.MustCompile(`\nfunc (Test|Benchmark|Fuzz)\w*(`+value+`)`).MatchString(source) {
				return fmt.Errorf("nothing is called %s", value)
			}
		case name == "write":
			if _, err := os.Stat(filepath.Join(checkout, value)); err != nil {
				return err
			}
			fallthrough
		case !slices.Contains(goFlags, name):
			if name != "h" && !strings.Contains(source, `"`+name+`"`) {
				return fmt.Errorf("no flag -%s", name)
			}
		}
	}
	return nil
}

// sources are the Go files in a folder and below.
func sources(folder string) (string, error) {
	var all strings.Builder
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	})
	return all.String(), err
}

// documentedDocker checks docker build and docker compose.
func documentedDocker(checkout string, args []string) error {
	if len(args) > 1 && args[0] == "build" {
		dockerfile, err := os.ReadFile(filepath.Join(checkout, args[len(args)-1], "Dockerfile"))
		if err != nil {
			return err
		}
		for _, secret := range regexp.MustCompile(`id=(\w+)`).FindAllStringSubmatch(strings.Join(args, " "), -1) {
			if !strings.Contains(string(dockerfile), "type=secret,id="+secret[1]) {
				return fmt.Errorf("the build takes no secret %s", secret[1])
			}
		}
		return nil
	}
	compose, err := os.ReadFile(filepath.Join(checkout, "docker-compose.yml"))
	if err != nil || len(args) < 2 || args[0] != "compose" {
		return fmt.Errorf("neither docker build nor docker compose: %w", err)
	}
	args = args[1:]
	if args[0] == "--profile" {
		if !strings.Contains(string(compose), "profiles: ["+args[1]+"]") {
			return fmt.Errorf("no profile %s", args[1])
		}
		args = args[2:]
	}
	switch args[0] {
	case "up":
	case "exec", "restart", "logs":
		if !strings.Contains(string(compose), "\n  "+args[1]+":\n") {
			return fmt.Errorf("no service %s", args[1])
		}
	default:
		return fmt.Errorf("%s is not known here", args[0])
	}
	return nil
}

// documentedSwitch checks FreeSWITCH's folders.
func documentedSwitch(args []string) error {
	for i, arg := range args[:len(args)-1] {
		folder := args[i+1]
		if arg == "-conf" {
			folder = filepath.Join(folder, "freeswitch.xml")
		}
		if slices.Contains([]string{"-conf", "-log", "-run", "-db", "-temp"}, arg) {
			if _, err := os.Stat(folder); err != nil {
				return err
			}
		}
	}
	return nil
}
