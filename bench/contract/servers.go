package contract

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/security-monitor/secmon/db/localdb"
	"github.com/security-monitor/secmon/feed/localredis"
)

// servers are an empty MariaDB and a Redis in a directory of their own, for one run.
type servers struct {
	dir      string
	database *localdb.Server
	redis    *localredis.Server
}

func startServers(ctx context.Context) (s *servers, err error) {
	s = &servers{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "secmon-bench-"); err != nil {
		return nil, err
	}
	if s.database, err = localdb.Start(ctx, localdb.Options{Dir: filepath.Join(s.dir, "mariadb"), BufferPoolMB: bufferPoolMB}); err != nil {
		return nil, err
	}
	s.redis, err = localredis.Start(ctx, localredis.Options{Dir: filepath.Join(s.dir, "redis")})
	return s, err
}

// close ends what was started, and leaves nothing behind.
func (s *servers) close() (err error) {
	if s.redis != nil {
		_ = s.redis.Close() // it holds nothing
	}
	if s.database != nil {
		err = s.database.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
