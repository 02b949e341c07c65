//go:build unix && !linux

package child

import "syscall"

// attributes: a process group of its own. Without Linux's Pdeathsig a killed
// parent leaves the child behind; whoever uses the same files next ends it.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
