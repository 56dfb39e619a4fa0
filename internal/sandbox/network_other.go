//go:build !linux

package sandbox

import (
	"errors"
	"syscall"
)

var errLinux = errors.New("a network of its own for a switch can be made on Linux only")

func ownNetwork() (*syscall.SysProcAttr, error) { return nil, errLinux }

func raiseLoopback() error { return errLinux }
