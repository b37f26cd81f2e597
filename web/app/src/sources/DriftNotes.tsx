import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { StreamState } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

const SHOWN = 3

/** What is wrong with the streams of a source, and how their columns changed. */
export function DriftNotes({ source, streams }: { source: string; streams: StreamState[] }) {
  const { t } = useLanguage()
  const told = streams.filter((one) => one.failure !== null || (one.drift?.changes.length ?? 0) > 0)
  if (told.length === 0) return null
  return (
    <section className="backfills">
      <h3>{t('drift.title')}</h3>
      <ul className="facts">
        {told.map((stream) => (
          <DriftNote key={stream.sync} source={source} stream={stream} />
        ))}
      </ul>
    </section>
  )
}

function DriftNote({ source, stream }: { source: string; stream: StreamState }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  const state = stream.drift?.state ?? 'ok'
  return (
    <li>
      <b>{say(stream.label)}</b> <span className="code muted">{stream.stream}</span>
      {state !== 'ok' && <span className="warn"> {t(`drift.state.${state}`)}</span>}
      {stream.failure && <p className="drift__failure">{say(stream.failure)}</p>}
      {stream.drift?.changes.slice(0, SHOWN).map((note) => (
        <p key={`${note.at} ${note.text.en}`} className="muted small">
          <span className="num">{dayTime(note.at)}</span> {say(note.text)}
        </p>
      ))}
      {(state === 'asks' || state === 'refused') && <Decision source={source} stream={stream} refused={state === 'refused'} />}
    </li>
  )
}

function Decision({ source, stream, refused }: { source: string; stream: StreamState; refused: boolean }) {
  const { t, say } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const path = { code: source, sync: stream.sync }
  const decide = useMutation({
    mutationFn: (accept: boolean) =>
      answer(api.POST('/api/sources/{code}/syncs/{sync}/drift', { params: { path }, body: { accept } })),
    onSuccess: (_state, accept) => void message.success(t(accept ? 'drift.accepted' : 'drift.refused')),
    onError: (error) => void message.error(words(error), 8),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['sources'] }),
  })
  if (!can('sources.manage')) return null
  const ask = (): void =>
    void modal.confirm({
      title: t('drift.accept_ask', { name: say(stream.label) }),
      content: t('drift.accept_warn'),
      icon: null,
      okText: t('drift.accept'),
      cancelText: t('control.no'),
      onOk: () => decide.mutateAsync(true).catch(() => undefined),
    })
  return (
    <p className="source-card__actions">
      <Button size="small" type="primary" loading={decide.isPending} onClick={ask}>
        {t('drift.accept')}
      </Button>
      {!refused && (
        <Button size="small" onClick={() => decide.mutate(false)}>
          {t('drift.refuse')}
        </Button>
      )}
    </p>
  )
}
