package localpg

import (
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"xmlcurld/internal/child"
)

// process is a program that runs as the server's account.
type process struct {
	*child.Process
	lastWords *tail
}

func serverArguments(data, socketDir string, o Options) []string {
	args := []string{
		"-D", data,
		"-p", port,
		"-c", "listen_addresses=",
		"-c", "unix_socket_directories=" + quoteList(socketDir),
		"-c", "unix_socket_permissions=0700",
		"-c", "logging_collector=off",
		"-c", "log_destination=stderr",
	}
	if o.Fast { // and with room for many tests at a time
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=400")
	}
	for _, setting := range o.Settings {
		args = append(args, "-c", setting)
	}
	return args
}

// quoteList writes one value the way Postgres reads an element of a list setting.
func quoteList(value string) string { return `"` + strings.ReplaceAll(value, `"`, `""`) + `"` }

// spawn starts a program as the account. What the program prints goes to output.
func spawn(program string, args []string, who *account, output io.Writer) (*process, error) {
	p := &process{lastWords: new(tail)}
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"} // no PGPORT, PGDATA … of the caller's
	cmd.Dir = "/"
	cmd.Stdout = p.lastWords
	if output != nil {
		cmd.Stdout = io.MultiWriter(p.lastWords, output)
	}
	cmd.Stderr = cmd.Stdout
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who.lent}
	var err error
	if p.Process, err = child.Start(cmd, syscall.SIGQUIT); err != nil { // an immediate shutdown: the next start recovers
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	return p, nil
}

// stop orders a fast shutdown and waits; a server that does not end in time is ended with less and less ceremony.
func (p *process) stop() error {
	if err := p.Stop(child.Order{Signal: syscall.SIGINT, Within: fastShutdown}, child.Order{Signal: syscall.SIGQUIT, Within: immediateShutdown}); err != nil {
		return fmt.Errorf("private PostgreSQL server: %w, its last words: %s", err, p.lastWords)
	}
	return nil
}

// tail keeps the end of what was written to it, for error messages. It is read once the process has ended.
type tail []byte

const tailBytes = 2048

func (t *tail) Write(b []byte) (int, error) {
	*t = append(*t, b...)
	if over := len(*t) - tailBytes; over > 0 {
		*t = slices.Delete(*t, 0, over)
	}
	return len(b), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(*t)) }
