package auth_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/monitor"
)

// sealedInMemory keeps secrets in the order of their users.
type sealedInMemory struct {
	secrets  []monitor.SealedSecret
	meddling func(monitor.ID) // between the reading and the replacing
}

func (s *sealedInMemory) SealedSecrets(_ context.Context, after monitor.ID, limit int) ([]monitor.SealedSecret, error) {
	var some []monitor.SealedSecret
	for _, x := range s.secrets {
		if bytes.Compare(x.User[:], after[:]) > 0 && len(some) < limit {
			some = append(some, x)
		}
	}
	return some, nil
}

func (s *sealedInMemory) ReplaceSealed(_ context.Context, user monitor.ID, old, sealed []byte) error {
	if s.meddling != nil {
		s.meddling(user)
	}
	for i, x := range s.secrets {
		if x.User == user && bytes.Equal(x.Sealed, old) {
			s.secrets[i].Sealed = sealed
		}
	}
	return nil
}

// What an older key sealed is sealed anew, what no key opens is left and counted,
// what somebody enrolled meanwhile stays as they made it.
func TestResealLetsOldKeysGo(t *testing.T) {
	parse := func(text string) *auth.Keys {
		keys, err := auth.ParseKeys(text)
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	old, fresh, lostKey := auth.NewKey(), auth.NewKey(), auth.NewKey()
	store := &sealedInMemory{}
	seal := func(n int, key string) monitor.ID {
		id := monitor.ID{byte(n >> 8), byte(n), 1}
		sealed, err := parse(key).Seal(id, fmt.Sprint("secret ", n))
		if err != nil {
			t.Fatal(err)
		}
		store.secrets = append(store.secrets, monitor.SealedSecret{User: id, Sealed: sealed})
		return id
	}
	for n := range 250 { // more than a page
		seal(n, []string{old, fresh}[n%2])
	}
	gone := seal(300, lostKey)
	store.secrets = append(store.secrets, monitor.SealedSecret{User: monitor.ID{9}, Sealed: []byte("x")})
	meddled := seal(301, old)
	store.meddling = func(user monitor.ID) {
		if user == meddled {
			i := slices.IndexFunc(store.secrets, func(x monitor.SealedSecret) bool { return x.User == user })
			store.secrets[i].Sealed, _ = parse(fresh).Seal(user, "enrolled meanwhile")
		}
	}
	slices.SortFunc(store.secrets, func(a, b monitor.SealedSecret) int {
		return cmp.Or(bytes.Compare(a.User[:], b.User[:]))
	})
	keys := parse(fresh + "," + old)
	resealed, lost, err := auth.Reseal(t.Context(), store, keys)
	if err != nil || resealed != 126 || lost != 2 {
		t.Fatalf("%d resealed, %d lost, %v", resealed, lost, err)
	}
	alone := parse(fresh)
	for _, x := range store.secrets {
		secret, err := alone.Open(x.User, x.Sealed)
		switch {
		case x.User == gone || x.User == monitor.ID{9}:
			if err == nil {
				t.Errorf("%s was opened", x.User)
			}
		case x.User == meddled:
			if err != nil || secret != "enrolled meanwhile" {
				t.Errorf("what was enrolled meanwhile is %q, %v", secret, err)
			}
		case err != nil || secret != fmt.Sprint("secret ", int(x.User[0])<<8|int(x.User[1])):
			t.Errorf("%s: %q %v", x.User, secret, err)
		}
	}
	if again, _, err := auth.Reseal(t.Context(), store, keys); err != nil || again != 0 {
		t.Errorf("again: %d, %v", again, err)
	}
}
