// Package booted boots two switches, one on a tree of files and one on a server, and compares what they report.
package booted

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	bootstrap "xmlcurld/freeswitch-bootstrap"
	"xmlcurld/internal/sandbox"
)

// Switches are the two.
type Switches struct {
	Program string       // FreeSWITCH
	Tree    string       // the folder with freeswitch.xml
	Server  http.Handler // answers as the server does, on the path /xml
	Node    string       // the switchname of both
	Environ []string     // of both, as NAME=value

	// The event sockets, as each configuration has them.
	TreeSocket, TreePassword     string
	ServerSocket, ServerPassword string
}

// Difference is what one switch reports otherwise than the other.
type Difference struct {
	Command string `json:"command"` // of FreeSWITCH's API
	What    string `json:"what"`    // in its reply; empty: the reply as a whole
	Tree    string `json:"tree"`
	Server  string `json:"server"`
}

// Result is what was compared, and what differs.
type Result struct {
	Compared    map[string]int `json:"compared"` // things of each kind
	Differences []Difference   `json:"differences"`
}

// Compare boots one switch after the other in a network of its own, and asks both the same. It takes a minute or two.
func (s *Switches) Compare(ctx context.Context, about Subjects) (r Result, err error) {
	work, err := os.MkdirTemp("", "xmlcurld-compare-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	tree, err := s.onTree(ctx, filepath.Join(work, "tree"), about)
	if err != nil {
		return r, fmt.Errorf("the switch on the tree: %w", err)
	}
	server, err := s.onServer(ctx, filepath.Join(work, "server"), about)
	if err != nil {
		return r, fmt.Errorf("the switch on the server: %w", err)
	}
	return about.compare(tree, server)
}

func (s *Switches) order(work string, about Subjects) (sandbox.Order, error) {
	return sandbox.Order{
		Program: s.Program, Work: work, Await: about.await(), Commands: about.commands(),
		Environ: append([]string{"SWITCHNAME=" + s.Node}, s.Environ...),
	}, os.Mkdir(work, 0o700)
}

// onTree boots a switch on a copy of the tree: FreeSWITCH writes beside its configuration.
func (s *Switches) onTree(ctx context.Context, work string, about Subjects) ([]sandbox.Reply, error) {
	o, err := s.order(work, about)
	if err != nil {
		return nil, err
	}
	o.Conf, o.Socket, o.Password = filepath.Join(work, "conf"), s.TreeSocket, s.TreePassword
	if err := os.CopyFS(o.Conf, os.DirFS(s.Tree)); err != nil {
		return nil, err
	}
	return sandbox.Run(ctx, o)
}

// onServer boots a switch on the bootstrap, for which the server answers through the sandbox's door.
func (s *Switches) onServer(ctx context.Context, work string, about Subjects) (replies []sandbox.Reply, err error) {
	o, err := s.order(work, about)
	if err != nil {
		return nil, err
	}
	conf, err := fs.Sub(bootstrap.Conf, "conf")
	if err != nil {
		return nil, err
	}
	o.Conf, o.Socket, o.Password, o.Door = filepath.Join(work, "conf"), s.ServerSocket, s.ServerPassword, filepath.Join(work, "door")
	if err := os.CopyFS(o.Conf, conf); err != nil {
		return nil, err
	}
	// On a busy machine an answer may take longer than a call would wait for it, and the list of modules is asked for once.
	o.Environ = append(o.Environ, "BOOTSTRAP_URL=http://"+sandbox.Door+"/xml", "EVENT_SOCKET_PASSWORD="+s.ServerPassword, "BOOTSTRAP_TIMEOUT=30")
	door, err := net.Listen("unix", o.Door)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: s.Server, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(door) }() // Close ends it
	replies, err = sandbox.Run(ctx, o)
	return replies, errors.Join(err, server.Close())
}
