# Five groups, and one more where syslog is sent. Rules refer to groups, never to
# addresses, but for what the world may reach, the load balancer's 80 and 443, and the
# networks that send syslog.
locals {
  syslog = length(var.syslog_cidrs) > 0

  groups = merge({
    alb     = "Load balancer: the only door"
    cluster = "EKS control plane"
    nodes   = "EKS nodes and their pods"
    rds     = "MySQL"
    redis   = "Redis"
  }, local.syslog ? { syslog = "Load balancer of syslog, inside" } : {})

  # Who may speak to whom. `from` is a group's name.
  ingress = merge({
    cluster_from_alb   = { to = "cluster", from = "alb", first = 443, last = 443, protocol = "tcp", why = "HTTPS from the load balancer" }
    cluster_from_nodes = { to = "cluster", from = "nodes", first = 443, last = 443, protocol = "tcp", why = "Kubernetes API for kubelets and pods" }
    nodes_from_cluster = { to = "nodes", from = "cluster", first = 1025, last = 65535, protocol = "tcp", why = "Kubelets and webhooks, for the control plane" }
    nodes_from_alb     = { to = "nodes", from = "alb", first = var.ingress_port, last = var.ingress_port, protocol = "tcp", why = "Ingress controller, from the load balancer" }
    nodes_from_nodes   = { to = "nodes", from = "nodes", first = null, last = null, protocol = "-1", why = "Pods among themselves; network policies narrow it" }
    rds_from_nodes     = { to = "rds", from = "nodes", first = 3306, last = 3306, protocol = "tcp", why = "MySQL from the nodes" }
    redis_from_nodes   = { to = "redis", from = "nodes", first = 6379, last = 6379, protocol = "tcp", why = "Redis from the nodes" }
    }, {
    for name, port in local.syslog_ports :
    "nodes_from_syslog_${name}" => { to = "nodes", from = "syslog", first = port, last = port, protocol = "tcp", why = "The program's pods, from syslog's load balancer" }
  })

  # What its load balancer asks of pods: events, and whether they are ready.
  syslog_ports = local.syslog ? { events = var.syslog_port, health = var.syslog_health_port } : {}

  # What leaves by a group. Database and cache open no connections: none for them.
  egress = merge({
    alb_to_nodes     = { of = "alb", to = "nodes", first = var.ingress_port, last = var.ingress_port, why = "Ingress controller" }
    cluster_to_nodes = { of = "cluster", to = "nodes", first = 1025, last = 65535, why = "Kubelets and webhooks" }
    }, {
    for name, port in local.syslog_ports :
    "syslog_to_nodes_${name}" => { of = "syslog", to = "nodes", first = port, last = port, why = "The program's pods" }
  })
}

resource "aws_security_group" "this" {
  for_each = local.groups

  # A group in use cannot be deleted: a new one comes first.
  name_prefix = "${var.name}-${each.key}-"
  description = each.value
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-${each.key}" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "alb_public" {
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.this["alb"].id
  description       = each.key == "http" ? "HTTP, redirected to HTTPS" : "HTTPS"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "syslog" {
  for_each = toset(var.syslog_cidrs)

  security_group_id = aws_security_group.this["syslog"].id
  description       = "Senders of syslog"
  ip_protocol       = "tcp"
  from_port         = var.syslog_port
  to_port           = var.syslog_port
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.ingress

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = each.value.why
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.first
  to_port                      = each.value.last

  tags = { Name = each.key }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local.egress

  security_group_id            = aws_security_group.this[each.value.of].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = each.value.why
  ip_protocol                  = "tcp"
  from_port                    = each.value.first
  to_port                      = each.value.last

  tags = { Name = each.key }
}

# Webhooks, identity providers and AWS itself are anywhere; what a pod may reach
# is for the network policies of the chart.
resource "aws_vpc_security_group_egress_rule" "nodes" {
  security_group_id = aws_security_group.this["nodes"].id
  description       = "Nodes and pods, outwards"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
