//go:build linux

package rig

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Localhost is where switches and carriers are.
const Localhost = "127.0.0.1"

// Bootstrap is the conf tree of a switch that asks xmlcurld.
const Bootstrap = "freeswitch-bootstrap/conf"

// LogLevel keeps a switch from logging calls.
const LogLevel = "warning"

// SwitchModules are those that a call takes, in the order in which a switch loads them.
var SwitchModules = []string{"mod_commands", "mod_dptools", "mod_dialplan_xml", "mod_sofia"}

// How a switch stands with others who want a processor: like them, or after them and in a session of its own.
const (
	LikeOthers  = "-np"
	AfterOthers = "-lp"
)

// StartFreeSWITCH starts a switch on the conf tree, to write into dir only. Its environment is env, and what it cannot be
// without.
func StartFreeSWITCH(program, conf, dir, priority string, env ...string) (*Process, error) {
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
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: priority == AfterOthers}
	return Start(cmd, dir, "freeswitch")
}
