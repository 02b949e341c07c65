package monitor

import "fmt"

// Diagnosis is what `secmon doctor` says of one thing that the program needs.
type Diagnosis struct {
	Check   string `json:"check"` // what was looked at: database.version
	State   State  `json:"state"`
	Message string `json:"message"`          // what was found; nothing secret
	Advice  string `json:"advice,omitempty"` // what to do; empty where all is well
}

// State is how good or bad a Diagnosis is.
type State string

// The states: fine, worth a look, and what keeps the program from its work.
const (
	StateOK      State = "ok"
	StateWarning State = "warning"
	StateFailure State = "failure"
)

// Fine says that a check found nothing.
func Fine(check, format string, args ...any) Diagnosis {
	return Diagnosis{Check: check, State: StateOK, Message: fmt.Sprintf(format, args...)}
}

// Warn says what is worth a look, and what to do.
func Warn(check, message, advice string) Diagnosis {
	return Diagnosis{Check: check, State: StateWarning, Message: message, Advice: advice}
}

// Fault says what is wrong, and what to do.
func Fault(check, message, advice string) Diagnosis {
	return Diagnosis{Check: check, State: StateFailure, Message: message, Advice: advice}
}
