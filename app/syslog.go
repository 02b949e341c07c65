package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/security-monitor/secmon/ingest"
)

// Syslog are the listeners that take events over TCP and TLS, off without an address.
type Syslog struct {
	Listen          string   `help:"Address for syslog over plain TCP (docs/ingest.md). Without it nothing listens." placeholder:"HOST:PORT"`
	TLSListen       string   `name:"tls-listen" help:"Address for syslog over TLS (RFC 5425). Without it nothing listens." placeholder:"HOST:PORT"`
	TLSCertFile     string   `name:"tls-cert-file" help:"Certificate that is shown there (PEM, with those between it and its root); read for each connection, so it can be renewed." type:"path" placeholder:"FILE"`
	TLSKeyFile      string   `name:"tls-key-file" help:"Its key (PEM)." type:"path" placeholder:"FILE"`
	TLSClientCAFile string   `name:"tls-client-ca-file" help:"Certificates (PEM) that sign those of senders: who has one may send, from anywhere. Without it --syslog-networks decides." type:"path" placeholder:"FILE"`
	TLSClientNames  []string `name:"tls-client-names" help:"Names of which senders' certificates need one (*.example.com is any host of it). Without it each certificate of that CA is good." placeholder:"NAME,..."`
	Networks        []string `help:"Networks from which is taken what comes without a certificate: syslog has no token." placeholder:"CIDR,..."`
	MaxConnections  int      `name:"max-connections" help:"Connections at once, per replica; each holds 64 KiB or a message." default:"256"`
	MaxLineKB       int      `name:"max-line-kb" help:"Largest message, in KiB; what is longer is cut." default:"64"`
}

// on tells whether anything listens for syslog.
func (s *Syslog) on() bool { return s.Listen != "" || s.TLSListen != "" }

// listener is what openSyslog has opened and serveSyslog serves.
type listener struct {
	socket net.Listener
	config *tls.Config // nil for plain TCP
}

// openSyslog listens for syslog. What is wrong with its settings stops the start: a
// sender would not notice.
func (a *App) openSyslog(ctx context.Context) error {
	cfg := &a.cfg.Syslog
	a.syslog = &ingest.Syslog{Intake: a.in, LineBytes: cfg.MaxLineKB << 10, Connections: cfg.MaxConnections}
	a.measureSyslog()
	if !cfg.on() {
		return nil
	}
	if cfg.MaxLineKB < 1 || cfg.MaxLineKB > a.cfg.MaxRecordKB || cfg.MaxConnections < 1 {
		return errors.New("syslog-max-line-kb has to be between 1 and max-record-kb, and syslog-max-connections at least 1")
	}
	for _, text := range cfg.Networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("syslog-networks: %w", err)
		}
		a.syslog.Networks = append(a.syslog.Networks, network.Masked())
	}
	if len(cfg.Networks) == 0 && (cfg.Listen != "" || cfg.TLSClientCAFile == "") {
		return errors.New("syslog has no token: --syslog-networks has to say who may send, or --syslog-tls-client-ca-file whose certificates are asked for")
	}
	if cfg.TLSListen != "" {
		config, err := cfg.config()
		if err != nil {
			return err
		}
		if err := a.listenSyslog(ctx, cfg.TLSListen, config); err != nil {
			return err
		}
	}
	if cfg.Listen != "" {
		return a.listenSyslog(ctx, cfg.Listen, nil)
	}
	return nil
}

func (a *App) listenSyslog(ctx context.Context, address string, config *tls.Config) error {
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	a.syslogSockets = append(a.syslogSockets, listener{socket, config})
	a.closers = append(a.closers, func() error {
		if err := socket.Close(); !errors.Is(err, net.ErrClosed) { // else Syslog has closed it
			return err
		}
		return nil
	})
	return nil
}

// serveSyslog takes connections until stopSyslog.
func (a *App) serveSyslog() {
	for _, l := range a.syslogSockets {
		a.lg.Info("listening for syslog", "address", l.socket.Addr().String(), "tls", l.config != nil)
		a.syslog.Serve(l.socket, l.config)
	}
}

// stopSyslog has what was sent stored, as far as ctx allows.
func (a *App) stopSyslog(ctx context.Context) {
	if err := a.syslog.Close(ctx); err != nil {
		a.lg.Warn("syslog was cut off", "error", err)
	}
}

// SyslogAddresses are where it listens: TLS first, then plain TCP, as far as they are on.
func (a *App) SyslogAddresses() []string {
	var all []string
	for _, l := range a.syslogSockets {
		all = append(all, l.socket.Addr().String())
	}
	return all
}

// config gives the configuration of TLS. The certificate is read for each connection,
// which is seldom: it can be renewed without a restart. So are the senders' CAs.
func (s *Syslog) config() (*tls.Config, error) {
	base, err := s.load()
	if err != nil {
		return nil, err
	}
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.load() }
	return base, nil
}

func (s *Syslog) load() (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(s.TLSCertFile, s.TLSKeyFile)
	if err != nil {
		return nil, fmt.Errorf("syslog-tls-cert-file: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
	if s.TLSClientCAFile == "" {
		return config, nil
	}
	authorities, err := os.ReadFile(s.TLSClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("syslog-tls-client-ca-file: %w", err)
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !config.ClientCAs.AppendCertsFromPEM(authorities) {
		return nil, errors.New("syslog-tls-client-ca-file has no certificate")
	}
	if len(s.TLSClientNames) > 0 {
		// Not VerifyPeerCertificate: that is not asked when a session is resumed.
		config.VerifyConnection = func(state tls.ConnectionState) error { return s.mayConnect(state.PeerCertificates[0]) }
	}
	return config, nil
}

// mayConnect tells whether a certificate has one of the names.
func (s *Syslog) mayConnect(shown *x509.Certificate) error {
	for _, name := range s.TLSClientNames {
		for _, own := range shown.DNSNames {
			if matchesName(name, own) {
				return nil
			}
		}
	}
	return fmt.Errorf("the certificate has none of the names of syslog-tls-client-names: %q", shown.DNSNames)
}

// matchesName compares a name with that of a certificate; *.x is any one label before x.
func matchesName(wanted, own string) bool {
	if rest, is := strings.CutPrefix(wanted, "*"); is {
		label := strings.IndexByte(own, '.')
		return label > 0 && strings.EqualFold(own[label:], rest)
	}
	return strings.EqualFold(wanted, own)
}

func (a *App) measureSyslog() {
	s := &a.syslog.Stats
	a.metrics.Gauge("secmon_syslog_connections", "Connections over which syslog comes.", func() float64 { return float64(s.Open.Load()) })
	a.metrics.Counter("secmon_syslog_cut_total", "Messages of syslog that were longer than allowed, and cut.", s.Cut.Load)
	const refused = "Connections of syslog that were refused or ended: of an address that may not send, beyond their number, without good TLS, by what is no message or half of one."
	a.metrics.Counter("secmon_syslog_refused_total", refused, s.Network.Load, "reason", "network")
	a.metrics.Counter("secmon_syslog_refused_total", refused, s.Full.Load, "reason", "full")
	a.metrics.Counter("secmon_syslog_refused_total", refused, s.TLS.Load, "reason", "tls")
	a.metrics.Counter("secmon_syslog_refused_total", refused, s.BadFrame.Load, "reason", "frame")
}
