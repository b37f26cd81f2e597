import { Collapse, Form, Input, InputNumber, Select, Switch } from 'antd'
import type { FormInstance } from 'antd'
import { useLanguage } from '../i18n'
import type { Setting, SettingValue, SettingsOf } from './types'

/** Whether a setting belongs to what has been chosen so far. */
export function applies(setting: Setting, values: SettingsOf): boolean {
  return Object.entries(setting.when ?? {}).every(([name, wanted]) =>
    (wanted as unknown[]).includes(values[name]),
  )
}

type ControlProps = { setting: Setting; kept: boolean; [given: string]: unknown }

function Control({ setting, kept, ...given }: ControlProps) {
  const { t, say } = useLanguage()
  if (setting.type === 'integer') return <InputNumber {...given} min={0} controls={false} className="connect__number" />
  if (setting.type === 'boolean') return <Switch {...given} />
  if (setting.type === 'choice')
    return (
      <Select
        {...given}
        allowClear={!setting.required}
        showSearch={{ optionFilterProp: 'label' }}
        options={setting.choices.map(({ value, label }) => ({ value, label: say(label) }))}
      />
    )
  if (setting.type === 'secret')
    return <Input.Password {...given} autoComplete="new-password" placeholder={kept ? t('connect.secret_kept') : undefined} />
  return <Input {...given} autoComplete="off" spellCheck={false} />
}

function Field({ setting, kept }: { setting: Setting; kept: boolean }) {
  const { t, say } = useLanguage()
  return (
    <Form.Item
      name={setting.name}
      label={say(setting.label)}
      extra={say(setting.help) || undefined}
      valuePropName={setting.type === 'boolean' ? 'checked' : 'value'}
      rules={setting.required && !kept ? [{ required: true, message: t('connect.needed', { name: say(setting.label) }) }] : []}
    >
      <Control setting={setting} kept={kept} />
    </Form.Item>
  )
}

type Props = {
  form: FormInstance<SettingsOf>
  settings: Setting[]
  /** Secrets that the server has already. */
  kept?: ReadonlySet<string>
  /** What has been chosen already and is not asked. */
  preset?: Record<string, SettingValue>
}

/** The settings of a connection, as the connector describes them. */
export function SettingsForm({ form, settings, kept = new Set(), preset = {} }: Props) {
  const { t } = useLanguage()
  const values = { ...((Form.useWatch([], form) ?? {}) as SettingsOf), ...preset }
  const shown = settings.filter((setting) => applies(setting, values))
  const fields = (advanced: boolean) =>
    shown
      .filter((setting) => setting.advanced === advanced)
      .map((setting) => <Field key={setting.name} setting={setting} kept={kept.has(setting.name)} />)
  const more = fields(true)
  return (
    <>
      <div className="connect__grid">{fields(false)}</div>
      {more.length > 0 && (
        <Collapse
          ghost
          size="small"
          className="connect__more"
          items={[{ key: 'more', label: t('connect.more'), forceRender: true, children: <div className="connect__grid">{more}</div> }]}
        />
      )}
    </>
  )
}

/** The values to begin with: the way's presets over what the connector says. */
export function initialValues(settings: Setting[], preset: Record<string, SettingValue>): SettingsOf {
  const own = Object.fromEntries(settings.filter((one) => one.default !== null).map((one) => [one.name, one.default]))
  return { ...own, ...preset }
}

/** What is sent: only settings that apply, and no empty ones. */
export function toSend(settings: Setting[], values: SettingsOf): SettingsOf {
  const sent: SettingsOf = {}
  for (const setting of settings) {
    const value = values[setting.name]
    if (!applies(setting, values) || value === undefined || value === null || value === '') continue
    sent[setting.name] = typeof value === 'string' && setting.type !== 'secret' ? value.trim() : value
  }
  return sent
}
