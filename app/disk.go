package app

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// disk is the file system of a directory.
type disk struct{ free, size uint64 } // bytes; free is what this user may have

func diskOf(dir string) (disk, error) {
	var is unix.Statfs_t
	if err := unix.Statfs(dir, &is); err != nil {
		return disk{}, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	block := uint64(is.Bsize)                                                  //nolint:gosec,unconvert // positive; its type differs between systems
	return disk{free: uint64(is.Bavail) * block, size: is.Blocks * block}, nil //nolint:unconvert // the same
}
