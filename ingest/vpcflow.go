package ingest

import (
	"strings"

	"github.com/valyala/fastjson"

	"github.com/security-monitor/secmon/monitor"
)

// AWS VPC flow logs: lines of the default format, and records with the fields' own
// names (Firehose, Athena, CloudWatch's JSON of a custom format).
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html

// vpcFields are the fields of the default format, version 2, in their order.
var vpcFields = []string{
	"version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "action", "log-status",
}

func isVPCFlow(v *fastjson.Value) bool {
	if v.Exists("srcaddr") && v.Exists("dstaddr") && (v.Exists("interface-id") || v.Exists("interface_id") || v.Exists("action")) {
		return true
	}
	return vpcLine(lineOf(v)) != nil
}

// vpcLine gives the words of a line of the default format.
func vpcLine(line string) []string {
	if !strings.HasPrefix(line, "2 ") || !strings.Contains(line, " eni-") {
		return nil
	}
	words := strings.Fields(line)
	if len(words) != len(vpcFields) {
		return nil
	}
	return words
}

// ianaProtocols names the numbers that occur.
var ianaProtocols = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "47": "gre", "50": "esp", "58": "ipv6-icmp", "132": "sctp"}

func normaliseVPCFlow(in *input) {
	ev, rec, v := in.ev, in.rec, in.v
	rec.flatten("", v)
	rec.rename(vpcName) // Parquet and SQL have no hyphens
	if words := vpcLine(lineOf(v)); words != nil {
		for i, name := range vpcFields {
			if words[i] != "-" { // no data
				rec.addText(name, words[i])
			}
		}
	}
	rec.LogSource = monitor.LogSource{Product: "aws", Category: "firewall", Service: "vpcflow"}
	for _, name := range []string{"start", "end", "@timestamp", "timestamp"} {
		if in.occurredText(rec.Text(name)) {
			break
		}
	}
	rec.alias("src_ip", "srcaddr")
	rec.alias("dst_ip", "dstaddr")
	rec.alias("src_port", "srcport")
	rec.alias("dst_port", "dstport")
	ev.Class = monitor.ClassNetworkActivity
	ev.Host = rec.Text("instance-id", "interface-id")
	ev.SrcIP, ev.SrcPort = parseIP(rec.Text("srcaddr")), parsePort(rec.Text("srcport"))
	ev.DstIP, ev.DstPort = parseIP(rec.Text("dstaddr")), parsePort(rec.Text("dstport"))
	ev.Action = "flow_" + strings.ToLower(rec.Text("log-status"))
	switch strings.ToUpper(rec.Text("action")) {
	case "ACCEPT":
		ev.Action, ev.Outcome = "flow_accepted", monitor.OutcomeSuccess
	case "REJECT":
		ev.Action, ev.Outcome = "flow_rejected", monitor.OutcomeFailure
	}
	protocol := rec.Text("protocol")
	if name := ianaProtocols[protocol]; name != "" {
		protocol = name
		rec.addText("Protocol", name)
	}
	ev.Message = strings.TrimSpace(protocol+" "+endpoint(rec.Text("srcaddr"), rec.Text("srcport"))+" → "+endpoint(rec.Text("dstaddr"), rec.Text("dstport"))) + ": " +
		strings.ReplaceAll(ev.Action, "_", " ")
}

// vpcName gives a field the name of the documentation.
func vpcName(name string) string {
	switch name {
	case "account_id", "interface_id", "log_status", "instance_id", "vpc_id", "subnet_id", "tcp_flags", "pkt_srcaddr", "pkt_dstaddr", "az_id", "flow_direction", "traffic_path",
		"pkt_src_aws_service", "pkt_dst_aws_service", "sublocation_type", "sublocation_id":
		return strings.ReplaceAll(name, "_", "-")
	}
	return name
}

func endpoint(address, port string) string {
	if port == "" {
		return address
	}
	return address + ":" + port
}
