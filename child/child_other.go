//go:build !linux

package child

import "syscall"

// attributes: a process group of its own. Without Linux's Pdeathsig a killed
// parent leaves the child behind; the next start attaches to it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
