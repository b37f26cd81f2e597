import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Button, Form, Input } from 'antd'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { addSource } from './calls'
import { initialValues, SettingsForm, toSend } from './SettingsForm'
import { TrySteps } from './TrySteps'
import type { ConnectorKind, SettingsOf } from './types'
import { useTry } from './useTry'
import { wayLabel, wayNote, type Way } from './ways'

/** A name to begin with: what the system is called where it is. */
function guess(values: SettingsOf, fallback: string): string {
  const named = values.database ?? values.file ?? values.dsn ?? values.host
  const last = typeof named === 'string' ? named.trim().split(/[\\/]/).at(-1)?.replace(/\.\w{2,5}$/, '') : ''
  return last || fallback
}

function NameForm({ first, save, busy }: { first: string; save: (name: string) => void; busy: boolean }) {
  const { t } = useLanguage()
  const [name, setName] = useState(first)
  return (
    <form
      className="card connect__name"
      onSubmit={(event) => {
        event.preventDefault()
        if (name.trim()) save(name.trim())
      }}
    >
      <label htmlFor="source-name">
        <b>{t('connect.name')}</b>
      </label>
      <Input
        id="source-name"
        autoFocus
        maxLength={40}
        value={name}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setName(event.target.value)}
      />
      <Button type="primary" htmlType="submit" loading={busy} disabled={!name.trim()}>
        {t('connect.save')}
      </Button>
      <p className="muted small">{t('connect.name_hint')}</p>
    </form>
  )
}

/** The settings, the test of each step, and the name. */
export function ConnectForm({ way, kind }: { way: Way; kind: ConnectorKind }) {
  const { t, say } = useLanguage()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [form] = Form.useForm<SettingsOf>()
  const tried = useTry(kind.kind)
  const settings = kind.settings.filter((one) => !(one.name in way.preset))
  // What the card has chosen needs no question; the form keeps it for what depends on it.
  const values = (): SettingsOf => toSend(kind.settings, { ...form.getFieldsValue(true), ...way.preset })
  const save = useMutation({
    mutationFn: (name: string) =>
      addSource({ label: { zh: name, en: name }, connector: kind.kind, settings: values() }),
    onSuccess: (source) => {
      void queries.invalidateQueries({ queryKey: ['sources'] })
      void navigate(`/sources/${source.code}/tables?new=1`)
    },
  })
  return (
    <>
      <section className="card">
        <p className="muted connect__note">{say(kind.note) || t(wayNote(way))}</p>
        <Form
          form={form}
          layout="vertical"
          requiredMark={false}
          scrollToFirstError
          initialValues={initialValues(kind.settings, way.preset)}
          onValuesChange={tried.forget}
          onFinish={() => tried.run(values())}
        >
          <SettingsForm form={form} settings={settings} preset={way.preset} />
          <Button type={tried.ok ? 'default' : 'primary'} htmlType="submit" loading={tried.pending}>
            {t('connect.test')}
          </Button>
          <span className="muted small connect__promise">{t('connect.promise')}</span>
        </Form>
      </section>
      {tried.error !== null && <FailureNote error={tried.error} />}
      {tried.steps && (
        <section className="card">
          <TrySteps steps={tried.steps} />
        </section>
      )}
      {tried.ok && <NameForm first={guess(values(), t(wayLabel(way)))} busy={save.isPending} save={(name) => save.mutate(name)} />}
      {save.error && <FailureNote error={save.error} />}
    </>
  )
}
