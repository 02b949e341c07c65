package channel

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// mailLogin is an smtp.Auth that takes the best way to log in that a server offers.
type mailLogin struct {
	user, password, host string
	way                  smtp.Auth
}

// maxIterations bounds what a server can make us compute for SCRAM: it chooses the
// number, and nothing ends the computation. It takes half a second.
const maxIterations = 1_000_000

// Start chooses. All ways but SCRAM tell the password, so that none goes without TLS.
func (l *mailLogin) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("no password is sent without TLS")
	}
	for _, each := range []struct {
		name string
		way  smtp.Auth
	}{
		{"SCRAM-SHA-256", smtp.ScramSHA256Auth(l.user, l.password)},
		{"SCRAM-SHA-1", smtp.ScramSHA1Auth(l.user, l.password)},
		{"PLAIN", smtp.PlainAuth("", l.user, l.password, l.host, false)},
		{"LOGIN", smtp.LoginAuth(l.user, l.password, l.host, false)},
	} {
		if slices.Contains(server.Auth, each.name) {
			l.way = each.way
			return l.way.Start(server)
		}
	}
	return "", nil, errors.New("the server offers no way to log in that is known here: SCRAM-SHA-256, SCRAM-SHA-1, PLAIN or LOGIN")
}

// Next answers a challenge.
func (l *mailLogin) Next(challenge []byte, more bool) ([]byte, error) {
	for field := range strings.SplitSeq(string(challenge), ",") {
		count, ok := strings.CutPrefix(field, "i=")
		if n, err := strconv.Atoi(count); ok && (err != nil || n < 1 || n > maxIterations) {
			return nil, fmt.Errorf("the server asks for more than %d iterations", maxIterations)
		}
	}
	return l.way.Next(challenge, more)
}
