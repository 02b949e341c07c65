package auth

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Shippers lets an API token come as shippers can send it, before Middleware reads
// it: "Splunk TOKEN"; "ApiKey TOKEN" or "ApiKey" with the base64 of "name:TOKEN", as
// Elasticsearch's keys are written; as the password of "Basic", with any name; or,
// without that header, as X-Api-Key, as EventBridge sends keys.
func Shippers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := r.Header.Get("Authorization")
		if key := r.Header.Get("X-Api-Key"); header == "" && key != "" {
			header = "ApiKey " + key
		}
		if token, ok := shipperToken(header); ok {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+token)
		}
		next.ServeHTTP(w, r)
	})
}

func shipperToken(header string) (string, bool) {
	scheme, credential, ok := strings.Cut(strings.TrimSpace(header), " ")
	if !ok {
		return "", false
	}
	credential = strings.TrimSpace(credential)
	switch strings.ToLower(scheme) {
	case "splunk":
		return credential, true
	case "basic":
		return behindName(credential), true
	case "apikey":
		if strings.HasPrefix(credential, tokenPrefix) {
			return credential, true
		}
		return behindName(credential), true
	}
	return "", false
}

// behindName gives the secret of base64's "name:secret"; "" of what is no such thing,
// which no credential is.
func behindName(encoded string) string {
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	_, secret, _ := strings.Cut(string(text), ":")
	return secret
}
