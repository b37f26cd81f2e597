import { Link } from 'react-router'
import type { StreamState } from '../api/types'
import { useCan } from '../api/session'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { CardTable, type Head } from '../parts/CardTable'
import { BackfillButton } from './BackfillButton'
import { HoldButton } from './HoldButton'

type Props = { streams: StreamState[]; source: string; offPeak: boolean }

/** The streams of a source: how far each was read, how much, and what it waits for. */
export function StreamTable({ streams, source, offPeak }: Props) {
  const { t } = useLanguage()
  const manages = useCan()('sources.manage')
  if (streams.length === 0) return <p className="muted">{t('stream.none')}</p>
  const heads: Head[] = [
    { label: t('stream.name') },
    { label: t('stream.target') },
    { label: t('stream.watermark') },
    { label: t('stream.last') },
    { label: t('stream.rows'), right: true },
    { label: t('stream.set_aside'), right: true },
    { label: t('stream.rhythm') },
  ]
  if (manages) heads.push({ label: t('users.actions'), hidden: true })
  return (
    <CardTable heads={heads}>
      {streams.map((stream) => (
        <StreamRow key={stream.sync} stream={stream} source={source} offPeak={offPeak} manages={manages} />
      ))}
    </CardTable>
  )
}

type RowProps = { stream: StreamState; source: string; offPeak: boolean; manages: boolean }

function StreamRow({ stream, source, offPeak, manages }: RowProps) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  return (
    <tr>
      <td className="table__wide">
        <Link to={`/syncs/${encodeURIComponent(stream.sync)}`}>{say(stream.label)}</Link>{' '}
        <span className="code muted">{stream.stream}</span>
      </td>
      <td className="code" data-label={t('stream.target')}>
        {stream.target}
      </td>
      <td className="code" data-label={t('stream.watermark')}>
        {stream.watermark ?? '–'}
      </td>
      <td className="num" data-label={t('stream.last')}>
        {dayTime(stream.last_success_at)}
      </td>
      <td className="num table__right" data-label={t('stream.rows')}>
        {count(stream.rows)}
      </td>
      <td className="num table__right" data-label={t('stream.set_aside')}>
        {stream.set_aside > 0 ? (
          <Link className="warn" to={`/set-aside?source=${encodeURIComponent(source)}`}>
            {count(stream.set_aside)}
          </Link>
        ) : (
          <span className="muted">0</span>
        )}
      </td>
      <td data-label={t('stream.rhythm')}>
        <Rhythm stream={stream} />
      </td>
      {manages && (
        <td className="stream__actions">
          <HoldButton source={source} sync={stream.sync} name={say(stream.label)} held={stream.hold !== null} />
          {stream.last_success_at !== null && <BackfillButton source={source} stream={stream} offPeak={offPeak} />}
        </td>
      )}
    </tr>
  )
}

/** When a stream is read, and what it waits for now. */
function Rhythm({ stream }: { stream: StreamState }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  return (
    <>
      {stream.running && (
        <Link className="inline" to={`/runs/${stream.running}`}>
          {t('control.running')}
        </Link>
      )}
      {stream.schedule && <span className="muted"> {say(stream.schedule)}</span>}
      {stream.waits && <span className="warn stream__waits">{say(stream.waits)}</span>}
      {stream.hold && (
        <span className="muted small stream__waits">
          {t('control.by', { by: stream.hold.by, time: dayTime(stream.hold.at) })}
        </span>
      )}
      {!stream.running && !stream.schedule && !stream.waits && <span className="muted">–</span>}
    </>
  )
}
