import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Switch } from 'antd'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { FlowRow } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

const OUTWARD = 'write_back'

/** Whether a flow is on, and for an administrator the switch; what writes elsewhere asks first. */
export function FlowSwitch({ flow }: { flow: FlowRow }) {
  const { t, say } = useLanguage()
  const can = useCan()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message, modal } = App.useApp()
  const change = useMutation({
    mutationFn: (enabled: boolean) =>
      answer(api.PATCH('/api/flows/{code}', { params: { path: { code: flow.code } }, body: { enabled } })),
    onSuccess: (row) => {
      queries.setQueryData<FlowRow[]>(['flows'], (rows) => rows?.map((one) => (one.code === row.code ? row : one)))
      void message.success(t(row.enabled ? 'flow.switched_on' : 'flow.switched_off', { name: say(row.label) }))
    },
    onError: (error) => void message.error(words(error)),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['flows'] }),
  })
  const turn = (enabled: boolean): void => {
    if (!enabled || !flow.steps.some((step) => step.step === OUTWARD)) return change.mutate(enabled)
    void modal.confirm({
      title: t('flow.on_ask', { name: say(flow.label) }),
      content: t('flow.on_warn'),
      icon: null,
      okText: t('flow.turn_on'),
      onOk: () => change.mutateAsync(true).catch(() => undefined),
    })
  }
  return (
    <span className="flow__switch">
      <span className={flow.enabled ? 'flow__on' : 'muted'}>
        <span aria-hidden="true">{flow.enabled ? '●' : '○'}</span> {t(flow.enabled ? 'flow.on' : 'flow.off')}
      </span>
      {can('flows.manage') && (
        <Switch
          checked={flow.enabled}
          loading={change.isPending}
          aria-label={t('flow.switch', { name: say(flow.label) })}
          onChange={turn}
        />
      )}
    </span>
  )
}
