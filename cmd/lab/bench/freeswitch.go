//go:build linux

package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"xmlcurld/cmd/lab/rig"
)

const localhost = "127.0.0.1"

// bootstrap is the conf tree of a switch that asks xmlcurld.
const bootstrap = "freeswitch-bootstrap/conf"

// freeSWITCH is a switch, and what it differs in from the others.
type freeSWITCH struct {
	name     string // of its node and folder
	dialplan string // where it finds a number, for the report
	numbers  int    // that it can be called at
	url      string // that it asks for its dialplan only, or "": it asks for everything or for nothing
	address  string // SIP
	rtpPort  int    // the first of rtpPorts
	rounds   []delays
}

// rtpPorts is how many ports for RTP one switch has: enough for none to be waited for.
const rtpPorts = 1000

// findPlace finds a SIP address for f. The range for RTP is the place-th below the ports that the kernel gives to others.
func (f *freeSWITCH) findPlace(place int) (err error) {
	f.rtpPort = 10000 + place*rtpPorts
	f.address, err = rig.FreeAddress()
	return err
}

// start starts program on the conf tree, to write into dir only. It returns when a call is answered.
func (f *freeSWITCH) start(ctx context.Context, program, conf, dir string, env ...string) (*rig.Process, error) {
	p, err := launch(program, conf, dir, likeOthers, env...)
	if err != nil {
		return nil, err
	}
	return p, p.Await(ctx, func() error {
		_, err := rig.Call(ctx, dir, f.address, f.called(0, 1), 1)
		return err
	})
}

// How a switch stands with others who want a processor: like them, or after them and in a session of its own.
const (
	likeOthers  = "-np"
	afterOthers = "-lp"
)

// launch starts a switch on the conf tree, to write into dir only.
func launch(program, conf, dir, priority string, env ...string) (*rig.Process, error) {
	args := []string{"-nonat", priority, "-nf", "-nc", "-conf", conf}
	for _, kind := range []string{"log", "run", "db", "temp", "certs", "storage", "cache", "scripts", "htdocs", "grammar", "recordings", "sounds"} {
		own := filepath.Join(dir, kind)
		if err := os.Mkdir(own, 0o755); err != nil {
			return nil, err
		}
		args = append(args, "-"+kind, own)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: priority == afterOthers}
	return rig.Start(cmd, dir, "freeswitch")
}

// called is which numbers the calls first to first+count go to: others each time, from all over those there are.
func (f *freeSWITCH) called(first, count int) []string {
	var numbers []string
	for i := range count {
		numbers = append(numbers, bareNumber((first+i)*scatter%f.numbers))
	}
	return numbers
}

// bareNumber is the n-th number of testdata.World, as most carriers write it: without the plus.
func bareNumber(n int) string { return fmt.Sprintf("271%08d", n) }
