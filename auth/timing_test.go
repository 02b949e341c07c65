package auth_test

import (
	"fmt"
	"testing"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/monitor"
)

// Whether a name exists, is shut out, or comes by a provider cannot be told from the
// time that a login takes: each computes one hash of the same size, and it is that
// which takes the time.
func TestEveryLoginComputesOneHash(t *testing.T) {
	a, store, _ := newAuth(t)
	out, err := a.CreateUser(t.Context(), monitor.SystemActor, monitor.User{Name: "out", Role: monitor.RoleViewer}, password)
	if err == nil {
		_, err = store.UpdateUser(t.Context(), monitor.SystemActor, out.ID, nil, func(u *monitor.User) { u.Disabled = true })
	}
	if err == nil {
		_, err = store.CreateIdentity(t.Context(), monitor.User{Name: "elsewhere", DisplayName: "x", Role: monitor.RoleViewer}, "https://id.example.com", "7")
	}
	if err != nil {
		t.Fatal(err)
	}
	var hashes []string
	a.CountHashes(func(time, memory uint32) { hashes = append(hashes, fmt.Sprint(time, memory)) })
	var first string
	for i, l := range []auth.Login{
		{Name: "ana", Password: password},
		{Name: "ana", Password: "wrong"},
		{Name: "ana", Password: ""},
		{Name: "nobody", Password: password},
		{Name: "nobody", Password: ""},
		{Name: "out", Password: password},
		{Name: "out", Password: "wrong"},
		{Name: "elsewhere", Password: ""},
		{Name: "", Password: "x"},
	} {
		hashes, l.Address = nil, fmt.Sprintf("192.0.2.%d", i+1)
		_, err := a.Login(t.Context(), l)
		if (err == nil) != (i == 0) {
			t.Errorf("%q by %q: %v", l.Name, l.Password, err)
		}
		if first == "" && len(hashes) == 1 {
			first = hashes[0]
		}
		if len(hashes) != 1 || hashes[0] != first {
			t.Errorf("%q by %q computes %v, not one of %s", l.Name, l.Password, hashes, first)
		}
	}
}
