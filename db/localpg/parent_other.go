//go:build !linux && !freebsd

package localpg

import "syscall"

// endWithParent does nothing where the kernel has no such signal: a server that is killed leaves its PostgreSQL behind.
func endWithParent(*syscall.SysProcAttr, syscall.Signal) {}
