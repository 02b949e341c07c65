resource "aws_sns_topic" "this" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  gib = 1024 * 1024 * 1024

  rds   = { DBInstanceIdentifier = var.database.identifier }
  alb   = { LoadBalancer = var.load_balancer.arn_suffix }
  pods  = { LoadBalancer = var.load_balancer.arn_suffix, TargetGroup = var.load_balancer.target_group_arn_suffix }
  redis = [for i in range(var.cache_nodes) : format("%s-%03d", var.cache_id, i + 1)]

  # Each names what is wrong in its key, and in `why` what it means for people.
  # `missing`: what no data means. Silence of the database is bad, silence of 5xx good.
  alarms = merge({
    database-cpu         = { namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.rds, statistic = "Average", compare = "GreaterThanThreshold", threshold = 80, minutes = 10, missing = "breaching", why = "Queries get slow, then ingest does." }
    database-storage     = { namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.rds, statistic = "Minimum", compare = "LessThanThreshold", threshold = 0.15 * var.database.storage_gib * local.gib, minutes = 10, missing = "breaching", why = "Less than 15 % left. Storage grows by itself up to its bound; without room the database stops." }
    database-memory      = { namespace = "AWS/RDS", metric = "FreeableMemory", dimensions = local.rds, statistic = "Minimum", compare = "LessThanThreshold", threshold = 0.1 * local.gib, minutes = 15, missing = "breaching", why = "Below 100 MiB the instance swaps." }
    database-connections = { namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.rds, statistic = "Maximum", compare = "GreaterThanThreshold", threshold = var.database.connections, minutes = 5, missing = "missing", why = "More than all replicas may open: something else connects." }
    backend-5xx          = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.pods, statistic = "Sum", compare = "GreaterThanThreshold", threshold = 10, minutes = 5, missing = "notBreaching", why = "Requests fail in the program." }
    edge-5xx             = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.alb, statistic = "Sum", compare = "GreaterThanThreshold", threshold = 10, minutes = 5, missing = "notBreaching", why = "Requests reach no pod." }
    latency              = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.pods, statistic = "p99", compare = "GreaterThanThreshold", threshold = 2, minutes = 10, missing = "notBreaching", why = "One request in a hundred takes longer than 2 s." }
    targets              = { namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.pods, statistic = "Minimum", compare = "LessThanThreshold", threshold = 2, minutes = 3, missing = "breaching", why = "Fewer than two ingress controllers: no spare one." }
    backend-errors       = { namespace = var.errors_metric.namespace, metric = var.errors_metric.name, dimensions = {}, statistic = "Sum", compare = "GreaterThanThreshold", threshold = 20, minutes = 5, missing = "notBreaching", why = "The backend logs errors." }
    }, {
    for node in local.redis : "redis-memory-${node}" => { namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = node }, statistic = "Maximum", compare = "GreaterThanThreshold", threshold = 80, minutes = 10, missing = "breaching", why = "Feeds fall back to polling when Redis is full." }
    }, {
    for node in local.redis : "redis-cpu-${node}" => { namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = node }, statistic = "Average", compare = "GreaterThanThreshold", threshold = 80, minutes = 10, missing = "breaching", why = "Changes reach the other replicas late." }
  })

  # Percentiles are an extended statistic in CloudWatch's API.
  percentiles = ["p99"]
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.why
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = contains(local.percentiles, each.value.statistic) ? null : each.value.statistic
  extended_statistic  = contains(local.percentiles, each.value.statistic) ? each.value.statistic : null
  comparison_operator = each.value.compare
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  datapoints_to_alarm = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}
