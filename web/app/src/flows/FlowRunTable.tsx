import { Link } from 'react-router'
import type { FlowRunRow } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { CardTable } from '../parts/CardTable'
import { FlowStateTag } from './FlowStateTag'

/** How long a run took, in seconds; null while it is under way. */
function seconds(run: FlowRunRow): number | null {
  return run.ended_at === null ? null : (Date.parse(run.ended_at) - Date.parse(run.started_at)) / 1000
}

function Row({ run }: { run: FlowRunRow }) {
  const { t, say } = useLanguage()
  const { dayTime, duration } = useFormats()
  const took = seconds(run)
  return (
    <tr>
      <td className="table__lead">
        <Link to={`/flows/runs/${run.id}`} data-row>
          <b>{run.subject || say(run.entity_label)}</b>
        </Link>
      </td>
      <td>
        <FlowStateTag state={run.state} />
      </td>
      <td className="table__wide">
        {say(run.label)}
        {run.step_label && <span className="muted"> · {say(run.step_label)}</span>}
        {run.failure && <span className="bad small run__message">{say(run.failure.message)}</span>}
      </td>
      <td className="num" data-label={t('runs.started')}>
        {dayTime(run.started_at)}
      </td>
      <td className="num" data-label={t(run.waits_until ? 'flow_runs.until' : 'runs.took')}>
        {run.waits_until ? (
          <>
            <span className="muted small flow-runs__until">{t('flow_runs.until')} </span>
            {dayTime(run.waits_until)}
          </>
        ) : took === null ? (
          '…'
        ) : (
          duration(took)
        )}
      </td>
    </tr>
  )
}

/** Runs of flows as a table, and as cards on a phone. */
export function FlowRunTable({ rows }: { rows: FlowRunRow[] }) {
  const { t } = useLanguage()
  return (
    <CardTable
      heads={[
        { label: t('flow_runs.subject') },
        { label: t('runs.state') },
        { label: t('flow_runs.flow') },
        { label: t('runs.started') },
        { label: t('runs.took') },
      ]}
    >
      {rows.map((run) => (
        <Row key={run.id} run={run} />
      ))}
    </CardTable>
  )
}
