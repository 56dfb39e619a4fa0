//go:build linux || freebsd

package child

import "syscall"

// endWithParent has the kernel send a child that signal when this process ends, however that comes about.
func endWithParent(attr *syscall.SysProcAttr, signal syscall.Signal) { attr.Pdeathsig = signal }
