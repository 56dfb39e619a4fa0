package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"xmlcurld/internal/pace"
)

// certificatesEvery is how often the files are read. They are a few KB, so they are read and compared whole: a new time
// of change may be missing where a secret's volume is swapped, and a new size at any time.
const certificatesEvery = time.Second

// certificates is the TLS of a listener: what its files hold now, or held when they were last of use.
type certificates struct {
	certName, keyName, clientCAName string // files; without a client CA no client needs a certificate
	log                             *slog.Logger
	expiry                          prometheus.Gauge
	current                         atomic.Pointer[tls.Config]
	seen                            [][]byte // the files' contents as they were tried last
	fault                           string   // what is wrong with the files now
}

// newCertificates reads the files that the settings name. It is nil when they name none.
func newCertificates(c config, log *slog.Logger, reg prometheus.Registerer) (*certificates, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	own := &certificates{certName: c.TLSCert, keyName: c.TLSKey, clientCAName: c.TLSClientCA, log: log, expiry: newExpiry(reg)}
	if _, err := own.read(); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return own, nil
}

func newExpiry(reg prometheus.Registerer) prometheus.Gauge {
	return promauto.With(reg).NewGauge(prometheus.GaugeOpts{
		Name: "xmlcurld_tls_certificate_expiry_timestamp_seconds",
		Help: "When the certificate that FreeSWITCH is shown ends.",
	})
}

// config is for those who serve: each handshake takes what is current. It is nil without files.
func (c *certificates) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.current.Load(), nil },
		MinVersion:         tls.VersionTLS12,
	}
}

// keep reads the files again and again until ctx ends. Connections that are open stay as they are.
func (c *certificates) keep(ctx context.Context) {
	for ctx.Err() == nil {
		c.refresh()
		pace.Sleep(ctx, certificatesEvery)
	}
}

// refresh takes what the files hold now. What is of no use is told once, and changes nothing.
func (c *certificates) refresh() {
	changed, err := c.read()
	fault := fmt.Sprint(err)
	if err != nil && fault != c.fault {
		c.log.Error("the TLS files cannot be used, going on with what they held before", "error", fault)
	}
	c.fault = fault
	if changed {
		c.log.Info("took new TLS files", "certificate", c.certName)
	}
}

// read takes the files if they are others than those tried last, which it says no second time what is wrong with.
func (c *certificates) read() (changed bool, err error) {
	var contents [][]byte
	for _, name := range []string{c.certName, c.keyName, c.clientCAName} {
		content, err := os.ReadFile(name)
		if err != nil && name != "" {
			return false, err
		}
		contents = append(contents, content)
	}
	if slices.EqualFunc(contents, c.seen, bytes.Equal) {
		return false, nil
	}
	c.seen = contents
	pair, err := tls.X509KeyPair(contents[0], contents[1])
	if err != nil {
		return false, fmt.Errorf("%s with %s: %w", c.certName, c.keyName, err)
	}
	config, err := c.serverTLS(pair, contents[2])
	if err != nil {
		return false, err
	}
	c.current.Store(config)
	c.expiry.Set(float64(pair.Leaf.NotAfter.Unix()))
	return true, nil
}

// serverTLS is without tickets: FreeSWITCH never comes back with one, and one that was given out before a client
// authority was taken away would let its owner in. It is without HTTP/2, which libcurl would choose for its one request.
func (c *certificates) serverTLS(pair tls.Certificate, clientCA []byte) (*tls.Config, error) {
	config := &tls.Config{
		Certificates:           []tls.Certificate{pair},
		MinVersion:             tls.VersionTLS12,
		NextProtos:             []string{"http/1.1"},
		SessionTicketsDisabled: true,
	}
	if c.clientCAName == "" {
		return config, nil
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !config.ClientCAs.AppendCertsFromPEM(clientCA) {
		return nil, fmt.Errorf("%s: no certificate in PEM form", c.clientCAName)
	}
	return config, nil
}
