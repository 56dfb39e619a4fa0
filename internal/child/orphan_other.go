//go:build !linux && !freebsd

package child

import "syscall"

// endWithParent does nothing where the kernel has no such signal: a program that is killed leaves its children behind.
func endWithParent(*syscall.SysProcAttr, syscall.Signal) {}
