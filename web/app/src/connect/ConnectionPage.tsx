import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Form } from 'antd'
import { Link, useParams } from 'react-router'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { connectionOf, connectors, saveConnection } from './calls'
import { RemoveSource } from './RemoveSource'
import { initialValues, SettingsForm, toSend } from './SettingsForm'
import { TrySteps } from './TrySteps'
import type { Connection, ConnectorKind, SettingsOf, SettingValue } from './types'
import { useSource } from './useSource'
import { useTry } from './useTry'
import './Connect.css'

/** Splits what the server knows into values to show and the names of secrets it keeps. */
function known(settings: SettingsOf): { values: Record<string, SettingValue>; kept: Set<string> } {
  const values: Record<string, SettingValue> = {}
  const kept = new Set<string>()
  for (const [name, value] of Object.entries(settings)) {
    if (value !== null && typeof value === 'object') {
      if (value.set) kept.add(name)
    } else values[name] = value
  }
  return { values, kept }
}

function EditForm({ code, kind, connection }: { code: string; kind: ConnectorKind; connection: Connection }) {
  const { t } = useLanguage()
  const { message } = App.useApp()
  const queries = useQueryClient()
  const [form] = Form.useForm<SettingsOf>()
  const tried = useTry(kind.kind, code)
  const { values, kept } = known(connection.settings)
  const typed = (): SettingsOf => toSend(kind.settings, form.getFieldsValue(true) as SettingsOf)
  const save = useMutation({
    mutationFn: () => saveConnection(code, typed()),
    onSuccess: () => {
      void message.success(t('connect.saved'))
      for (const key of ['sources', 'connection', 'source-tables']) void queries.invalidateQueries({ queryKey: [key] })
    },
  })
  return (
    <>
      <section className="card">
        <Form
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={initialValues(kind.settings, values)}
          onValuesChange={tried.forget}
          onFinish={() => tried.run(typed())}
        >
          <SettingsForm form={form} settings={kind.settings} kept={kept} />
          <Button type={tried.ok ? 'default' : 'primary'} htmlType="submit" loading={tried.pending}>
            {t('connect.test')}
          </Button>{' '}
          {tried.ok && (
            <Button type="primary" loading={save.isPending} onClick={() => save.mutate()}>
              {t('connect.save_changes')}
            </Button>
          )}
        </Form>
      </section>
      {(tried.error ?? save.error) !== null && <FailureNote error={tried.error ?? save.error} />}
      {tried.steps && (
        <section className="card">
          <TrySteps steps={tried.steps} />
        </section>
      )}
    </>
  )
}

/** The connection of a source: changed after a test; its secrets are never shown. */
export default function ConnectionPage() {
  const { t, say } = useLanguage()
  const { code = '' } = useParams()
  const source = useSource(code)
  const kinds = useQuery({ queryKey: ['connectors'], queryFn: connectors, staleTime: Infinity })
  const found = useQuery({
    queryKey: ['connection', code],
    queryFn: () => connectionOf(code),
    refetchOnWindowFocus: false,
    gcTime: 0,
  })
  const kind = kinds.data?.find((one) => one.kind === found.data?.connector)
  const name = source ? say(source.label) : code
  const error = found.error ?? kinds.error
  return (
    <Page
      title={t('connect.edit_of', { name })}
      hint={<Link to={`/sources?source=${encodeURIComponent(code)}`}>← {t('menu.sources')}</Link>}
      actions={found.data?.ours && <RemoveSource code={code} name={name} />}
    >
      {error ? (
        <FailureNote error={error} retry={() => void found.refetch()} />
      ) : found.data && kinds.data ? (
        <>
          {!found.data.ours && <p className="muted connect__note">{t('connect.package_only')}</p>}
          {kind ? (
            <EditForm code={code} kind={kind} connection={found.data} />
          ) : (
            <p className="card">{t('connect.no_kind')}</p>
          )}
        </>
      ) : (
        <Waiting rows={6} />
      )}
    </Page>
  )
}
