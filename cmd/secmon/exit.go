package main

import (
	"context"
	"errors"

	"github.com/security-monitor/secmon/client"
	"github.com/security-monitor/secmon/client/contexts"
	"github.com/security-monitor/secmon/monitor"
)

// Exit codes, for scripts; docs/cli.md lists them.
const (
	exitFailed      = 1
	exitPartial     = 2 // what could be done is done
	exitNoLogin     = 3
	exitForbidden   = 4
	exitNotFound    = 5
	exitConflict    = 6
	exitUnavailable = 7  // another try may help
	exitUsage       = 64 // sysexits.h: the command line is wrong
)

// partial is the error of a command that did what it could and had to leave some
// out: scripts tell it by the code 2 from one that did nothing, 1.
type partial struct{ error }

// missing is the error of a command whose object is not there.
type missing struct{ error }

// usage is the error of a command line that cannot be meant.
type usage struct{ error }

// Unwrap gives what is wrong with it.
func (u usage) Unwrap() error { return u.error }

var exitCodes = map[monitor.Code]int{
	monitor.CodeUnauthenticated: exitNoLogin, monitor.CodeTOTPRequired: exitNoLogin, monitor.CodeForbidden: exitForbidden,
	monitor.CodeNotFound: exitNotFound, monitor.CodeConflict: exitConflict,
	monitor.CodeUnavailable: exitUnavailable, monitor.CodeTimeout: exitUnavailable, monitor.CodeRateLimited: exitUnavailable,
}

func exitCode(err error) int {
	var refused client.Errors
	var closed *client.Closed
	var away *client.Unreachable
	var broken *client.Broken
	switch {
	case errors.As(err, &usage{}):
		return exitUsage
	case errors.As(err, &partial{}):
		return exitPartial
	case errors.As(err, &missing{}):
		return exitNotFound
	case errors.Is(err, contexts.ErrNone), errors.Is(err, contexts.ErrOver), errors.As(err, &closed) && closed.Code == 4403:
		return exitNoLogin
	case errors.As(err, &refused) && len(refused) > 0 && exitCodes[monitor.Code(refused[0].Code())] != 0:
		return exitCodes[monitor.Code(refused[0].Code())]
	case errors.As(err, &away), errors.As(err, &broken), errors.Is(err, context.DeadlineExceeded):
		return exitUnavailable
	}
	return exitFailed
}
