package app

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/security-monitor/secmon/auth"
	"github.com/security-monitor/secmon/monitor"
)

// examineSecrets looks at keys, passwords and the files that hold them. What they
// are stands in no message.
func examineSecrets(cfg Config) []monitor.Diagnosis {
	all := []monitor.Diagnosis{
		examineKeys(cfg, "secrets.jwt_keys", cfg.JWTKeys, cfg.JWTKeysFile, "jwt.key", "--jwt-keys-file"),
		examineKeys(cfg, "secrets.sealing_keys", cfg.SealingKeys, cfg.SealingKeysFile, "sealing.key", "--sealing-keys-file"),
	}
	if cfg.AdminPassword != "" && (utf8.RuneCountInString(cfg.AdminPassword) < 12 || differing([]byte(cfg.AdminPassword)) < 6) {
		all = append(all, monitor.Fault("secrets.admin_password", "the first password is weak", "12 characters or more, not a pattern; or leave it out, then one is made and shown once."))
	}
	for flag, file := range map[string]string{"--redis-password-file": cfg.RedisPasswordFile, "--oidc-client-secret-file": cfg.ClientSecretFile} {
		if file != "" {
			all = append(all, examineSecretFile(flag, file))
		}
	}
	return all
}

// examineKeys looks at the keys of one kind.
func examineKeys(cfg Config, check, text, file, made, flag string) monitor.Diagnosis {
	const making = "Make one: openssl rand -base64 32"
	if text == "" && file == "" {
		if cfg.DatabaseDSN != "" {
			return monitor.Warn(check, "none is given: each replica makes its own, and does not understand the others'", making+"; give the same to all replicas ("+flag+").")
		}
		file = filepath.Join(cfg.DataDir, made)
		if _, err := os.Stat(file); err != nil {
			return monitor.Fine(check, "secmon serve will make one in %s", cfg.DataDir)
		}
	}
	if text == "" {
		if d := examineSecretFile(flag, file); d.State != monitor.StateOK {
			d.Check = check
			return d
		}
		raw, err := os.ReadFile(file) //nolint:gosec // the operator's own path
		if err != nil {
			return monitor.Fault(check, err.Error(), "Check "+flag+".")
		}
		text = string(raw)
	}
	if _, err := auth.ParseKeys(text); err != nil {
		return monitor.Fault(check, err.Error(), making+".")
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \r\n\t", r) }) {
		key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(word), "="))
		if err != nil || differing(key) < 16 || ascending(key) {
			return monitor.Fault(check, "a key is no random one", making+".")
		}
	}
	return monitor.Fine(check, "long and random enough")
}

// differing counts different bytes: 32 random ones have about 30.
func differing(b []byte) int {
	seen := map[byte]bool{}
	for _, c := range b {
		seen[c] = true
	}
	return len(seen)
}

// ascending finds keys of examples: 0, 1, 2, ...
func ascending(b []byte) bool {
	for i := 1; i < len(b); i++ {
		if b[i] != b[i-1]+1 {
			return false
		}
	}
	return len(b) > 0
}

// examineSecretFile finds secrets that all users of the machine can read.
func examineSecretFile(flag, file string) monitor.Diagnosis {
	check := "secrets.file"
	is, err := os.Stat(file)
	switch {
	case err != nil:
		return monitor.Fault(check, flag+": "+err.Error(), "Check the path, and that this user may read it.")
	case is.Mode().Perm()&0o007 != 0:
		return monitor.Fault(check, fmt.Sprintf("%s: all users may read or change %s (%o)", flag, file, is.Mode().Perm()), "chmod 600 "+file+"; in Kubernetes defaultMode: 0440 and an fsGroup.")
	case is.Size() == 0:
		return monitor.Fault(check, flag+": "+file+" is empty", "Put the secret into it.")
	}
	if f, err := os.Open(file); err != nil {
		return monitor.Fault(check, flag+": "+err.Error(), "Let this user read it.")
	} else {
		_ = f.Close()
	}
	return monitor.Fine(check, "%s: readable, not by all", flag)
}
