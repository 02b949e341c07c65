# The way in for syslog over TLS: a network load balancer inside of the VPC, for senders
# who come by VPN, peering or Direct Connect. It passes on what it gets: the program
# ends TLS, since it asks senders for their certificates.
resource "aws_lb" "this" {
  name                             = "${var.name}-syslog"
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = var.subnet_ids
  security_groups                  = [var.security_group_id]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.deletion_protection
}

# The load balancer's controller in the cluster registers the program's pods here (a
# TargetGroupBinding, scripts/platform.sh).
resource "aws_lb_target_group" "this" {
  name        = "${var.name}-syslog"
  vpc_id      = var.vpc_id
  target_type = "ip"
  protocol    = "TCP"
  port        = var.port
  # Who may send goes by the sender's address, where no certificate is asked for.
  preserve_client_ip = "true"
  # A pod that ends closes its connections itself, and stores what it has read.
  deregistration_delay = 60

  # A connection without a handshake would count as one that was refused; and a pod that
  # drains says so here.
  health_check {
    protocol            = "HTTP"
    port                = var.health_port
    path                = "/api/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = var.port
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

# The name in the certificate that senders are shown.
resource "aws_route53_record" "this" {
  zone_id = var.zone_id
  name    = var.domain
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
