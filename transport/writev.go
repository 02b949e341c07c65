//go:build linux || darwin

package transport

import (
	"errors"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const canWritev = true

// gather is one writev that does not wait. It is pooled, for it is made once a
// delivery.
type gather struct {
	parts [][]byte
	wrote int
	err   error
	call  func(fd uintptr) bool
}

var gathers = sync.Pool{New: func() any {
	g := &gather{parts: make([][]byte, 0, 3)}
	g.call = func(fd uintptr) bool {
		for {
			g.wrote, g.err = unix.Writev(int(fd), g.parts)
			if !errors.Is(g.err, unix.EINTR) {
				return true // also when the socket is full: nobody waits here
			}
		}
	}
	return g
}}

// writeNow writes as much as the socket takes at once; fewer bytes than given,
// also none, is no error.
func writeNow(raw syscall.RawConn, parts ...[]byte) (int, error) {
	g, _ := gathers.Get().(*gather)
	g.parts, g.wrote, g.err = g.parts[:0], 0, nil
	for _, p := range parts {
		if len(p) > 0 {
			g.parts = append(g.parts, p)
		}
	}
	err := raw.Write(g.call)
	wrote := max(g.wrote, 0)
	if err == nil && g.err != nil && !errors.Is(g.err, unix.EAGAIN) {
		err = g.err
	}
	clear(g.parts)
	gathers.Put(g)
	return wrote, err
}
