package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"github.com/security-monitor/secmon/monitor"
)

// One-time passwords by RFC 6238 as every authenticator app makes them: SHA-1,
// six digits, 30 seconds; the code before and after count too, for clocks differ.
const (
	totpPeriod    = 30
	totpSkew      = 1
	recoveryCodes = 10
)

// SecondFactors keeps what one-time passwords are checked with.
type SecondFactors interface {
	SecondFactor(ctx context.Context, user monitor.ID) (*monitor.SecondFactor, bool, error)
	// EnrolSecondFactor replaces one that is not confirmed; CONFLICT where it is.
	EnrolSecondFactor(ctx context.Context, user monitor.ID, sealed []byte) error
	ConfirmSecondFactor(ctx context.Context, actor monitor.Actor, user monitor.ID, step int64, recovery [][]byte) error
	// TakeStep is false when this step's code, or a later one's, was taken already.
	TakeStep(ctx context.Context, user monitor.ID, step int64) (bool, error)
	// TakeRecovery is false when there is no such code (any more).
	TakeRecovery(ctx context.Context, actor monitor.Actor, user monitor.ID, hash []byte) (bool, error)
	RemoveSecondFactor(ctx context.Context, actor monitor.Actor, user monitor.ID) error
}

// ErrCodeNeeded asks for the one-time password: name and password were right.
var ErrCodeNeeded = &monitor.Error{Code: monitor.CodeTOTPRequired, Message: "give the code of your authenticator app, or a recovery code", Path: []string{"input", "code"}}

var errBadCode = monitor.InputErrorf("code", "the code is wrong, or was used already")

// Enrolment is what an authenticator app needs.
type Enrolment struct {
	Secret string // base32
	URI    string // otpauth:, for a QR code
}

// Enrol begins to give a user a second factor, which counts when a code confirms it.
func (a *Auth) Enrol(ctx context.Context, user *monitor.User) (*Enrolment, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Security Monitor", AccountName: user.Name, Period: totpPeriod, SecretSize: 20, Algorithm: otp.AlgorithmSHA1, Digits: otp.DigitsSix})
	if err != nil {
		return nil, err
	}
	sealed, err := a.sealing.seal(user.ID, key.Secret())
	if err != nil {
		return nil, err
	}
	if err := a.store.EnrolSecondFactor(ctx, user.ID, sealed); err != nil {
		return nil, err
	}
	return &Enrolment{Secret: key.Secret(), URI: key.URL()}, nil
}

// Confirm makes the second factor count and gives the recovery codes, which are
// shown this once.
func (a *Auth) Confirm(ctx context.Context, actor monitor.Actor, user *monitor.User, code, address string) ([]string, error) {
	if err := a.throttle.check(user.Name, address); err != nil {
		return nil, err
	}
	factor, found, err := a.store.SecondFactor(ctx, user.ID)
	if err != nil {
		return nil, err
	}
	if !found || factor.Confirmed {
		return nil, monitor.Errorf(monitor.CodeConflict, "there is no second factor to confirm; enrol first")
	}
	step, right, err := a.stepOf(user.ID, factor, code)
	if err != nil {
		return nil, err
	}
	if !right {
		a.throttle.failed(user.Name, address)
		return nil, errBadCode
	}
	codes, hashes := newRecoveryCodes()
	return codes, a.store.ConfirmSecondFactor(ctx, actor, user.ID, step, hashes)
}

// checkCode takes a one-time password or a recovery code; each is good once.
func (a *Auth) checkCode(ctx context.Context, user *monitor.User, code string) (bool, error) {
	factor, found, err := a.store.SecondFactor(ctx, user.ID)
	if err != nil {
		return false, err
	}
	if !found || !factor.Confirmed {
		return false, errors.New("a user has a second factor, and there is none")
	}
	if step, right, err := a.stepOf(user.ID, factor, code); err == nil && right {
		return a.store.TakeStep(ctx, user.ID, step)
	} else if err != nil && !errors.Is(err, errNotSealed) { // recovery codes work without the key
		return false, err
	}
	actor := monitor.Actor{Kind: monitor.ActorUser, ID: user.ID, Name: user.Name}
	return a.store.TakeRecovery(ctx, actor, user.ID, recoveryHash(code))
}

// stepOf finds the time step whose code this is, of those that count now and are
// newer than the last one taken.
func (a *Auth) stepOf(user monitor.ID, factor *monitor.SecondFactor, code string) (step int64, right bool, err error) {
	secret, err := a.sealing.open(user, factor.Sealed)
	if err != nil {
		return 0, false, err
	}
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	now := a.now().Unix() / totpPeriod
	for s := now - totpSkew; s <= now+totpSkew; s++ {
		want, err := totp.GenerateCodeCustom(secret, time.Unix(s*totpPeriod, 0), totp.ValidateOpts{Period: totpPeriod, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > factor.LastStep {
			step, right = s, true
		}
	}
	return step, right, nil
}

// newRecoveryCodes makes codes of 80 bits; being random, they need no slow hash.
func newRecoveryCodes() (codes []string, hashes [][]byte) {
	for range recoveryCodes {
		b := make([]byte, 10)
		_, _ = rand.Read(b) // never fails since Go 1.24
		text := strings.ToLower(base32.StdEncoding.EncodeToString(b))
		code := text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
		codes, hashes = append(codes, code), append(hashes, recoveryHash(code))
	}
	return codes, hashes
}

func recoveryHash(code string) []byte {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))))
	return sum[:]
}
