package notify

import (
	"testing"

	"github.com/security-monitor/secmon/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }
