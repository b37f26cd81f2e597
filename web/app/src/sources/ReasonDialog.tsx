import { Button, Form, Input, Modal } from 'antd'
import { useLanguage } from '../i18n'

const LONGEST = 200

type Props = {
  open: boolean
  title: string
  /** What will happen. */
  warning: string
  /** What the button that does it says. */
  action: string
  busy: boolean
  onReason: (reason: string) => void
  onClose: () => void
}

/** Asks why, before something is paused or stopped. */
export function ReasonDialog({ open, title, warning, action, busy, onReason, onClose }: Props) {
  const { t } = useLanguage()
  return (
    <Modal open={open} title={title} footer={null} destroyOnHidden onCancel={onClose}>
      <p>{warning}</p>
      <Form<{ reason: string }>
        layout="vertical"
        requiredMark={false}
        onFinish={({ reason }) => onReason(reason.trim())}
      >
        <Form.Item
          name="reason"
          label={t('control.reason')}
          rules={[{ required: true, whitespace: true, message: t('control.reason_hint') }]}
        >
          <Input autoFocus maxLength={LONGEST} placeholder={t('control.reason_hint')} />
        </Form.Item>
        <div className="dialog__buttons">
          <Button onClick={onClose}>{t('control.no')}</Button>
          <Button type="primary" danger htmlType="submit" loading={busy}>
            {action}
          </Button>
        </div>
      </Form>
    </Modal>
  )
}
