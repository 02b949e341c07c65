package child

import "syscall"

// attributes: the child gets SIGTERM when we die, and has a process group of its
// own, so that Ctrl-C at the terminal reaches us alone and we end it in order.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}
