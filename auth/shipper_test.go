package auth

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

// Whatever stands in the header, what goes on is a header.
func FuzzShipperToken(f *testing.F) {
	for _, s := range []string{"Splunk x", "ApiKey smt_x", "ApiKey " + base64.StdEncoding.EncodeToString([]byte("a:smt_b:c")), "Basic eDp5", "Basic !", "Bearer x", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, ok := shipperToken(header)
		if !ok && token != "" {
			t.Errorf("%q gives %q", header, token)
		}
		scheme, secret, _ := strings.Cut(header, " ")
		if ok && strings.EqualFold(scheme, "splunk") && strings.TrimSpace(secret) != token {
			t.Errorf("%q gives %q", header, token)
		}
		_ = http.Header{"Authorization": {"Bearer " + token}}.Get("Authorization")
	})
}
