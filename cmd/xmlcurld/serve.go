package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db"
	"xmlcurld/db/history"
	"xmlcurld/db/localpg"
	"xmlcurld/db/localrows"
	"xmlcurld/db/schema"
	"xmlcurld/db/switchstate"
	"xmlcurld/db/table"
	"xmlcurld/internal/endpoint"
	"xmlcurld/internal/nodeauth"
	"xmlcurld/internal/pace"
	"xmlcurld/internal/reconcile"
	"xmlcurld/internal/trace"
	"xmlcurld/sections"
	"xmlcurld/testdata"
	"xmlcurld/xmlcurl"
)

const (
	// drainTime is how long a shutdown waits for answers under way, above the deadline that each of them has.
	drainTime = 5 * time.Second
	// prepareRetry is the pause before a database that could not be prepared is tried again.
	prepareRetry = time.Second
)

// server is the running program.
type server struct {
	config   config
	log      *slog.Logger
	database database
	store    *table.Store
	rules    *db.Rulebook // over the local rows, if there are any
	secrets  db.Secrets
	local    *localrows.Store      // nil: there are none
	recorder *switchstate.Recorder // of what the switches fetch
	tls      *certificates         // nil: FreeSWITCH asks over plain HTTP
	checker  *nodeauth.Checker
	draining atomic.Bool
	works    sync.WaitGroup // what goes on beside the listeners
	traces   *trace.Server  // nil: nobody can trace
	xml      *endpoint.Endpoint
	admin    *endpoint.Endpoint
}

// serve runs until ctx is done, then shuts down in order.
func serve(ctx context.Context, i *invocation) (err error) {
	s := &server{config: i.config, log: i.log}
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		err = errors.Join(err, s.close())
	}()
	if err := s.open(ctx, i); err != nil {
		return err
	}
	s.printHints(i.stdout)
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.xml.Failed():
		return err
	case err := <-s.admin.Failed():
		return err
	case <-s.database.private.Done():
		return errors.New("the private PostgreSQL server ended by itself")
	}
}

// open brings everything up, the database first. A database of our own must be in order before anything is served; one
// that is elsewhere may be away now and come later.
func (s *server) open(ctx context.Context, i *invocation) (err error) {
	registry := newRegistry()
	if s.database, err = openDatabase(ctx, i, localpg.Start); err != nil {
		return err
	}
	s.secrets = secretsOf(i, registry)
	if s.store, err = table.Open(ctx, s.database.url, registry); err != nil {
		return err
	}
	if s.database.private != nil {
		if err := s.prepare(ctx); err != nil {
			return err
		}
	} else if s.config.Migrate || s.config.Demo {
		s.works.Go(func() { s.keepPreparing(ctx) })
	}
	s.recorder = switchstate.NewRecorder(s.store.DB())
	s.openLocalRows(ctx, registry)
	if err := s.openTLS(ctx, registry); err != nil {
		return err
	}
	s.knowNodes(ctx, registry)
	if err := s.listen(registry); err != nil {
		return err
	}
	s.keepNodes(ctx, registry)
	return nil
}

// openLocalRows starts to keep the local rows. Without them the server still answers, as long as the database does.
func (s *server) openLocalRows(ctx context.Context, registry *prometheus.Registry) {
	s.rules = db.NewRulebook(s.store, s.secrets)
	if s.config.DataDir == "" {
		s.log.Error("there are no local rows to answer from when the database does not: data_dir is not set")
		return
	}
	opened, err := localrows.Open(s.store, filepath.Join(s.config.DataDir, "rows"), s.config.StaleLimit, s.log, registry)
	if err != nil {
		s.log.Error("there are no local rows to answer from when the database does not", "err", err)
		return
	}
	s.local, s.rules = opened, db.NewRulebook(localrows.NewSource(s.store, opened), s.secrets)
	s.works.Go(func() { opened.Run(ctx) })
}

// keepNodes starts to keep the switches in sync with the rows.
func (s *server) keepNodes(ctx context.Context, registry *prometheus.Registry) {
	rows := s.store.Isolated(ctx)
	source := table.Source(rows)
	if s.local != nil {
		source = localrows.NewStrictSource(rows, s.local)
	}
	state := switchstate.New(db.NewRulebook(source, s.secrets), rows)
	keeper := reconcile.New(state, reconcile.Options{Server: hostname() + " " + s.xml.Address(), Log: s.log, Registerer: registry})
	s.works.Go(func() {
		defer rows.Close()
		keeper.Run(ctx)
	})
	s.works.Go(func() { s.keepHistory(ctx) })
}

// historyEvery is how often old history is looked for.
const historyEvery = time.Hour

// keepHistory makes room for edits to come, and drops those that are older than history_retention.
func (s *server) keepHistory(ctx context.Context) {
	tick := time.NewTicker(historyEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := history.Keep(ctx, s.store.DB().Primary(), s.config.HistoryRetention); err != nil && ctx.Err() == nil {
			s.log.Warn("cannot drop old history", "err", err)
		}
	}
}

func (s *server) listen(registry *prometheus.Registry) (err error) {
	answers := xmlcurl.NewServer(xmlcurl.Options{
		Handler:     sections.New(s.rules, s.recorder),
		Log:         s.log,
		Registerer:  registry,
		Deadline:    s.config.Deadline,
		BodyLimit:   s.config.BodyLimit,
		AnswerLimit: s.config.AnswerLimit,
		Credentials: s.config.Credentials.Reveal(),
		Nodes:       s.checker,
		Closed:      s.config.RequireCredentials,
		MaxInFlight: s.config.MaxInFlight,
		Degraded:    s.store.DB().Failed,
	})
	s.openTraces(answers)
	s.xml, err = endpoint.Serve(s.config.Listen, answers, endpoint.Guard{
		Name:          "XML",
		Networks:      s.config.Networks,
		TLS:           s.tls.config(),
		MaxIncomplete: s.config.MaxIncomplete,
		Log:           s.log,
		Registerer:    registry,
	})
	if err != nil {
		return err
	}
	s.admin, err = endpoint.Serve(s.config.AdminListen, newAdmin(registry, s.ready), endpoint.Guard{Name: "admin", Log: s.log})
	return err
}

// knowNodes reads what the nodes prove themselves with, from a standby when need be, and goes on doing so.
func (s *server) knowNodes(ctx context.Context, registry *prometheus.Registry) {
	s.checker = nodeauth.New(credentialRows{s.rules, s.store}, s.log, registry)
	s.checker.Read(ctx)
	s.works.Go(func() { s.checker.Run(ctx) })
}

// credentialRows are the credentials, and the database's notices of their changes.
type credentialRows struct {
	*db.Rulebook
	*table.Store
}

// openTLS reads the certificates, and goes on doing so.
func (s *server) openTLS(ctx context.Context, registry *prometheus.Registry) (err error) {
	if s.tls, err = newCertificates(s.config, s.log, registry); s.tls != nil && err == nil {
		s.works.Go(func() { s.tls.keep(ctx) })
	}
	return err
}

// prepare does to the database what the settings ask for.
func (s *server) prepare(ctx context.Context) error {
	if s.config.Migrate || s.database.private != nil {
		if err := schema.Migrate(ctx, s.database.url, s.log); err != nil {
			return err
		}
	}
	if !s.config.Demo {
		return nil
	}
	loaded, err := schema.LoadDemo(ctx, s.database.url, testdata.Demo, s.config.DemoRTPPort)
	if loaded {
		s.log.Info("loaded the demo world")
	}
	return err
}

// keepPreparing prepares until it works, and logs a reason once, not at each try.
func (s *server) keepPreparing(ctx context.Context) {
	last := ""
	for {
		err := s.prepare(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if reason := oneLine(err); reason != last {
			s.log.Error("the database is not prepared yet, trying again", "err", reason)
			last = reason
		}
		pace.Sleep(ctx, prepareRetry)
	}
}

// ready is nil while FreeSWITCH gets good answers here.
func (s *server) ready(ctx context.Context) error {
	if s.draining.Load() {
		return errors.New("shutting down")
	}
	err := schema.Check(ctx, s.store.DB().Best())
	if errors.Is(err, db.ErrUnavailable) && s.local != nil {
		if _, usable := s.local.Age(); usable {
			return nil
		}
	}
	return err
}

// close takes everything down in the order in which nothing that still works loses what it needs.
func (s *server) close() error {
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Deadline+drainTime)
	defer cancel()
	err := errors.Join(s.xml.Close(ctx), s.admin.Close(ctx), s.traces.Close())
	s.works.Wait()
	if s.recorder != nil {
		s.recorder.Close()
	}
	if s.local != nil {
		err = errors.Join(err, s.local.Close())
	}
	if s.store != nil {
		s.store.Close()
	}
	return errors.Join(err, s.database.private.Stop())
}
