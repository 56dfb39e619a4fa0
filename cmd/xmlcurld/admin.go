package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// readyTime is how long /readyz may look at the database.
const readyTime = 2 * time.Second

// newAdmin serves those who look after the program: Prometheus, a load balancer, an image's health check. ready says
// why FreeSWITCH should ask another server just now, or nil.
func newAdmin(registry *prometheus.Registry, ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "alive")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if err := ready(ctx); err != nil {
			http.Error(w, oneLine(err), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return mux
}

// oneLine is an error without its line breaks: a driver that tried several hosts writes a list.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// newRegistry holds the program's own metrics; the rooms register theirs with it.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	promauto.With(registry).NewGaugeVec(prometheus.GaugeOpts{
		Name: "xmlcurld_build_info",
		Help: "1, labelled with what is running.",
	}, []string{"version", "revision", "goversion"}).WithLabelValues(buildVersion, buildRevision(), runtime.Version()).Set(1)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

// buildVersion is set by the linker.
var buildVersion = "dev"

func buildRevision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "unknown"
}
