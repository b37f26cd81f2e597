import { useMutation, useQueryClient } from '@tanstack/react-query'
import { App, Button, Checkbox, Form, Input, Modal, Radio } from 'antd'
import { useState } from 'react'
import { answer, api } from '../api/client'
import type { StreamState } from '../api/types'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'

type Ask = { by: 'cursor' | 'key'; low: string; high: string; reason: string; at_once: boolean }
type Props = { source: string; stream: StreamState; offPeak: boolean }

/** Has a range of a stream read again, beside the watermark. */
export function BackfillButton({ source, stream, offPeak }: Props) {
  const { t, say } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [open, setOpen] = useState(false)
  const path = { code: source, sync: stream.sync }
  const ask = useMutation({
    mutationFn: (body: Ask) =>
      answer(api.POST('/api/sources/{code}/syncs/{sync}/backfill', { params: { path }, body })),
    onSuccess: () => {
      setOpen(false)
      void message.success(t('backfill.asked'))
      void queries.invalidateQueries({ queryKey: ['sources'] })
    },
    onError: (error) => void message.error(words(error), 8),
  })
  const title = t('backfill.title', { name: say(stream.label) })
  return (
    <>
      <Button size="small" aria-label={title} onClick={() => setOpen(true)}>
        {t('backfill.button')}
      </Button>
      <Modal open={open} title={title} footer={null} destroyOnHidden onCancel={() => setOpen(false)}>
        <p>{t('backfill.hint')}</p>
        <BackfillForm stream={stream} offPeak={offPeak} busy={ask.isPending} onAsk={(body) => ask.mutate(body)} />
      </Modal>
    </>
  )
}

type FormProps = { stream: StreamState; offPeak: boolean; busy: boolean; onAsk: (body: Ask) => void }

function BackfillForm({ stream, offPeak, busy, onAsk }: FormProps) {
  const { t } = useLanguage()
  const [form] = Form.useForm<Ask>()
  const by = Form.useWatch('by', form)
  const needed = [{ required: true, whitespace: true, message: t('backfill.needed') }]
  const example = by === 'cursor' ? (stream.watermark ?? '') : ''
  return (
    <Form<Ask>
      form={form}
      layout="vertical"
      requiredMark={false}
      initialValues={{ by: stream.cursor === null ? 'key' : 'cursor', at_once: false }}
      onFinish={onAsk}
    >
      <Form.Item name="by" label={t('backfill.by')}>
        <Radio.Group
          options={[
            ...(stream.cursor === null ? [] : [{ value: 'cursor', label: `${t('stream.watermark')} ${stream.cursor}` }]),
            { value: 'key', label: `${t('backfill.key')} ${stream.key[0] ?? ''}` },
          ]}
        />
      </Form.Item>
      <Form.Item name="low" label={t('backfill.low')} rules={needed}>
        <Input maxLength={80} placeholder={example} />
      </Form.Item>
      <Form.Item name="high" label={t('backfill.high')} rules={needed}>
        <Input maxLength={80} placeholder={example} />
      </Form.Item>
      <Form.Item name="reason" label={t('control.reason')} rules={needed}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="at_once" valuePropName="checked" hidden={!offPeak}>
        <Checkbox>{t('backfill.at_once')}</Checkbox>
      </Form.Item>
      <div className="dialog__buttons">
        <Button type="primary" htmlType="submit" loading={busy}>
          {t('backfill.button')}
        </Button>
      </div>
    </Form>
  )
}
