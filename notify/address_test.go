package notify

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestAddressesThatAreNotPublic(t *testing.T) {
	for _, c := range []struct{ address, reason string }{
		{"127.0.0.1", "loopback"},
		{"127.9.9.9", "loopback"},
		{"::1", "loopback"},
		{"0.0.0.0", "this host"},
		{"::", "this host"},
		{"10.0.0.1", "private"},
		{"172.31.255.255", "private"},
		{"192.168.1.1", "private"},
		{"fc00::1", "unique local"},
		{"169.254.169.254", "metadata"},
		{"fd00:ec2::254", "metadata"},
		{"fe80::1", "link-local"},
		{"100.100.100.200", "shared: metadata of one cloud"},
		{"192.0.0.192", "metadata of one cloud"},
		{"224.0.0.1", "multicast"},
		{"ff02::1", "multicast"},
		{"255.255.255.255", "broadcast"},
		{"::ffff:127.0.0.1", "IPv4-mapped loopback"},
		{"::ffff:169.254.169.254", "IPv4-mapped metadata"},
		{"64:ff9b::7f00:1", "NAT64"},
		{"2002:7f00:1::", "6to4"},
		{"2001:0:1::1", "Teredo"},
		{"203.0.113.9", "documentation"},
		{"198.18.0.1", "benchmarks"},
	} {
		if public(netip.MustParseAddr(c.address).Unmap()) {
			t.Errorf("%s is called public (%s)", c.address, c.reason)
		}
		if err := (Allowed{}).control(false)("tcp", netip.AddrPortFrom(netip.MustParseAddr(c.address), 443).String(), nil); err == nil {
			t.Errorf("%s may be dialled (%s)", c.address, c.reason)
		}
	}
	for _, address := range []string{"1.1.1.1", "8.8.8.8", "2606:4700::1111", "172.32.0.1", "100.128.0.1"} {
		if err := (Allowed{}).control(false)("tcp", netip.AddrPortFrom(netip.MustParseAddr(address), 443).String(), nil); err != nil {
			t.Errorf("%s may not be dialled: %v", address, err)
		}
		if err := (Allowed{}).control(true)("tcp", netip.AddrPortFrom(netip.MustParseAddr(address), 80).String(), nil); err == nil {
			t.Errorf("%s may be dialled without TLS", address)
		}
	}
}

func TestParseAllowed(t *testing.T) {
	all, err := ParseAllowed([]string{"10.1.0.0/16", "192.0.2.7"})
	if err != nil || !all.has(netip.MustParseAddr("10.1.255.1")) || all.has(netip.MustParseAddr("10.2.0.1")) || !all.has(netip.MustParseAddr("192.0.2.7")) || all.has(netip.MustParseAddr("192.0.2.8")) {
		t.Errorf("%v, %v", all, err)
	}
	if _, err := ParseAllowed([]string{"intranet"}); err == nil {
		t.Error("a name is taken for a network")
	}
}

func TestURLIsCheckedWhereItIsWrittenDown(t *testing.T) {
	inner, err := ParseAllowed([]string{"10.1.0.0/16"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		allowed Allowed
		url     string
		refused bool
		reason  string
	}{
		{nil, "https://hooks.example.com/x", false, "where a name leads is known with the connection"},
		{nil, "https://1.1.1.1/x", false, "public"},
		{nil, "https://127.0.0.1:8443/x", true, "loopback"},
		{nil, "https://[::ffff:10.1.0.1]/x", true, "private, mapped"},
		{nil, "https://[fe80::1%25eth0]/x", true, "link-local, with a zone"},
		{nil, "http://hooks.example.com/x", true, "no network is allowed that http could reach"},
		{nil, "http://1.1.1.1/x", true, "public, but not encrypted"},
		{inner, "http://10.1.2.3/x", false, "allowed, also without TLS"},
		{inner, "https://[::ffff:10.1.0.1]/x", false, "allowed, mapped"},
		{inner, "http://hooks.corp/x", false, "the name may lead to what is allowed"},
		{inner, "http://1.1.1.1/x", true, "http reaches allowed networks alone"},
		{inner, "https://10.2.0.1/x", true, "not the network that is allowed"},
	} {
		if err := c.allowed.CheckURL(c.url); (err != nil) != c.refused {
			t.Errorf("%s with %v: %v (%s)", c.url, c.allowed, err, c.reason)
		}
	}
}

func TestInnerAddressIsNotReachedByAnyName(t *testing.T) {
	reached := false
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer inner.Close()
	poster := NewPoster(nil, nil, "test")
	defer poster.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(inner.URL, "http://"), ":")
	for _, to := range []string{inner.URL, "http://localhost:" + port, "http://[::ffff:127.0.0.1]:" + port, "https://127.0.0.1:" + port, "http://2130706433:" + port, "http://0x7f.1:" + port} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		r := poster.Post(ctx, to, http.Header{}, []byte("{}"))
		cancel()
		if r.Error == "" || reached {
			t.Errorf("%s was reached: %+v", to, r)
		}
		if strings.Contains(r.Error, "127.0.0.1") {
			t.Errorf("the error tells an inner address: %s", r.Error)
		}
	}
}

func TestCertificateOfAnotherIsRefused(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	allowed, _ := ParseAllowed([]string{"127.0.0.1"})
	poster := NewPoster(allowed, nil, "test")
	defer poster.Close()
	if r := poster.Post(t.Context(), server.URL, http.Header{}, []byte("{}")); !strings.Contains(r.Error, "certificate") {
		t.Errorf("%+v", r)
	}
}
