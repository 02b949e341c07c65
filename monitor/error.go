package monitor

import (
	"errors"
	"fmt"
)

// Code tells a client's program what went wrong. Its values are the
// `extensions.code` of GraphQL errors and the `code` of ingest answers.
type Code string

// The codes of api.md. An error without a code is CodeInternal.
const (
	CodeUnauthenticated Code = "UNAUTHENTICATED"
	CodeForbidden       Code = "FORBIDDEN"
	CodeNotFound        Code = "NOT_FOUND"
	CodeBadInput        Code = "BAD_INPUT"
	CodeConflict        Code = "CONFLICT"
	CodeRateLimited     Code = "RATE_LIMITED"
	CodeTOTPRequired    Code = "TOTP_REQUIRED"
	CodeCostLimit       Code = "COST_LIMIT"
	CodeCursorExpired   Code = "CURSOR_EXPIRED"
	CodeTimeout         Code = "TIMEOUT"
	CodeUnavailable     Code = "UNAVAILABLE"
	CodeInternal        Code = "INTERNAL"
)

// Error is an error that a client may see: its message holds nothing internal.
type Error struct {
	Code    Code
	Message string
	// Path names the input field that is at fault, from the outside in.
	Path []string
	// Details are further `extensions`, for example the earliest cursor.
	Details map[string]any
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }

// Errorf makes an Error. The message is shown to the client.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// InputErrorf makes an Error with CodeBadInput about one input field.
func InputErrorf(field, format string, args ...any) *Error {
	return &Error{Code: CodeBadInput, Message: fmt.Sprintf(format, args...), Path: []string{"input", field}}
}

// ErrOutcomeUnknown says that a commit was under way when the connection to the
// database broke: the transaction may be stored, or not.
var ErrOutcomeUnknown = errors.New("whether the transaction was committed is not known")

// ErrAway says that the database cannot be reached or does not serve now.
var ErrAway = Errorf(CodeUnavailable, "the database cannot be reached; try again")

// CodeOf gives the code of the first Error in the chain, CodeInternal without one.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
