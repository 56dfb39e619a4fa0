package localpg

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a child that dies with this process.
type process struct {
	cmd       *exec.Cmd
	done      chan struct{} // closed when the child has been waited for
	err       error         // how it ended; read after done
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

// spawn starts a program as the account, in a process group of its own (so that Ctrl-C in a terminal reaches only this
// process, which then orders the shutdown). What the program prints goes to output.
func spawn(program string, args []string, who *account, output io.Writer) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), done: make(chan struct{}), lastWords: &tail{}}
	p.cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"} // no PGPORT, PGDATA … of the caller's
	p.cmd.Dir = "/"
	p.cmd.Stdout = p.lastWords
	if output != nil {
		p.cmd.Stdout = io.MultiWriter(p.lastWords, output)
	}
	p.cmd.Stderr = p.cmd.Stdout
	p.cmd.WaitDelay = time.Second
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:    true,
		Credential: who.credential(),
	}
	endWithParent(p.cmd.SysProcAttr, syscall.SIGQUIT) // an immediate shutdown: the next start recovers
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	return p, nil
}

// run starts the child and waits for it on one and the same thread: the signal of endWithParent comes when the thread that
// forked ends, and Go may end any thread that is not locked.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	if p.err = p.cmd.Wait(); p.err == nil {
		p.err = errEnded
	}
	close(p.done)
}

var errEnded = errors.New("exit status 0")

// stop orders a fast shutdown and waits; a server that does not end in time is ended with less and less ceremony.
func (p *process) stop() error {
	for _, order := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, fastShutdown}, {syscall.SIGQUIT, immediateShutdown}} {
		_ = p.cmd.Process.Signal(order.signal)
		select {
		case <-p.done:
			return p.ending()
		case <-time.After(order.wait):
		}
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	return p.ending()
}

func (p *process) ending() error {
	if errors.Is(p.err, errEnded) {
		return nil
	}
	return fmt.Errorf("private PostgreSQL server: %w, its last words: %s", p.err, p.lastWords)
}

// tail keeps the end of what was written to it, for error messages.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 2048

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
