// What the playground opens with. Each runs as it stands; a test holds them to the schema.
export const examples = [
  {
    query: `# The latest open alerts, with what made the rule fire.
query LatestAlerts {
  alerts(first: 10, filter: { status: { in: [NEW, ACKNOWLEDGED] } }) {
    totalCount
    position
    nodes {
      title
      severity
      status
      count
      lastSeen
      host
      user
      evidence(first: 1) {
        nodes {
          matched {
            field
            value
            pattern
          }
        }
      }
    }
  }
}
`,
  },
  {
    query: `# Every change of alerts of severity high and worse, as it happens. Give the
# last cursor as after to go on from there, without a gap.
subscription LiveAlerts($after: Cursor) {
  alertFeed(filter: { severity: { gte: HIGH } }, after: $after) {
    cursor
    entries {
      change
      action
      at
      actor {
        name
      }
      alert {
        title
        severity
        status
        host
      }
    }
  }
}
`,
  },
  {
    query: `# Events, newest first: here processes with PowerShell in their command line.
query PowerShell {
  events(
    first: 20
    filter: { class: { eq: PROCESS_ACTIVITY }, command: { contains: "powershell" } }
  ) {
    nodes {
      occurredAt
      host
      user
      command
      raw
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
  },
  {
    query: `# Rules that do not run, and why.
query SilentRules {
  rules(first: 50, filter: { not: { state: { eq: ACTIVE } } }) {
    totalCount
    nodes {
      title
      state
      stateReason
    }
  }
}
`,
  },
];
