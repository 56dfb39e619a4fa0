package reconcile

import (
	"github.com/prometheus/client_golang/prometheus"

	"xmlcurld/db/switchstate"
)

// metrics tell Prometheus which switches are not in sync. Their label is a node that has a row.
type metrics struct {
	reachable, inSync, pending, pendingSince, restart *prometheus.GaugeVec
	commands                                          *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"node"})
	}
	m := &metrics{
		reachable:    gauge("xmlcurld_node_reachable", "1 if the node's event socket answers."),
		inSync:       gauge("xmlcurld_node_in_sync", "1 if the node was shown to run what the rows say, but for what a restart takes."),
		pending:      gauge("xmlcurld_node_pending", "Things that the node does not run yet."),
		pendingSince: gauge("xmlcurld_node_pending_since_timestamp_seconds", "Since when something has been pending on the node; 0 when nothing is."),
		restart:      gauge("xmlcurld_node_restart_required", "Things that the node takes only when it is restarted."),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xmlcurld_node_commands_total", Help: "Commands sent to event sockets.",
		}, []string{"command"}),
	}
	reg.MustRegister(m.reachable, m.inSync, m.pending, m.pendingSince, m.restart, m.commands)
	return m
}

func (m *metrics) set(s switchstate.NodeState) {
	m.reachable.WithLabelValues(s.Node).Set(truth(s.Reachable))
	m.inSync.WithLabelValues(s.Node).Set(truth(len(s.Pending) == 0 && s.LastError == ""))
	m.pending.WithLabelValues(s.Node).Set(float64(len(s.Pending)))
	since := 0.0
	if s.PendingSince != nil {
		since = float64(s.PendingSince.UnixMilli()) / 1000
	}
	m.pendingSince.WithLabelValues(s.Node).Set(since)
	m.restart.WithLabelValues(s.Node).Set(float64(len(s.RestartRequired)))
}

func (m *metrics) command(name string) { m.commands.WithLabelValues(name).Inc() }

func (m *metrics) forget(node string) {
	for _, g := range []*prometheus.GaugeVec{m.reachable, m.inSync, m.pending, m.pendingSince, m.restart} {
		g.DeleteLabelValues(node)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
