package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/security-monitor/secmon/auth"
)

// Reseal seals the secrets in the configured database anew with the first of these
// keys, or of those in file, or of the data directory's; see auth.Reseal.
func Reseal(ctx context.Context, cfg Storage, text, file string, lg *slog.Logger) (resealed, lost int, err error) {
	if text == "" {
		kept, err := os.ReadFile(cmp.Or(file, filepath.Join(cfg.DataDir, "sealing.key"))) // a new one would open nothing
		if err != nil {
			return 0, 0, fmt.Errorf("sealing keys: %w", err)
		}
		text = string(kept)
	}
	keys, err := auth.ParseKeys(text)
	if err != nil {
		return 0, 0, fmt.Errorf("sealing keys: %w", err)
	}
	store, closeAll, err := OpenStore(ctx, cfg, lg)
	if err != nil {
		return 0, 0, err
	}
	all := []auth.SealedSecrets{store}
	for _, column := range store.SealedColumns() {
		all = append(all, column)
	}
	for _, kept := range all {
		n, gone, failed := auth.Reseal(ctx, kept, keys)
		resealed, lost, err = resealed+n, lost+gone, errors.Join(err, failed)
	}
	return resealed, lost, errors.Join(err, closeAll())
}

// NewKey makes a key; see auth.NewKey.
func NewKey() string { return auth.NewKey() }
