// SPDX-License-Identifier: GPL-2.0

#include <linux/blk-mq.h>
#include <linux/sched/task_stack.h>
#include <scsi/scsi_cmnd.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_device.h>
#include <scsi/scsi_host.h>
#include <scsi/scsi_ioctl.h>

bool sgio_helper_object_is_on_stack(const void *obj);
bool sgio_helper_object_is_on_stack(const void *obj)
{
	return object_is_on_stack(obj);
}

/* From a command to its request is a subtraction, which Rust does itself. */
enum {
	SGIO_CDB_IN_REQUEST = sizeof(struct request) + offsetof(struct scsi_cmnd, cmnd),
	SGIO_THREAD_SIZE = THREAD_SIZE,
};

size_t sgio_helper_cdb_in_request(void);
size_t sgio_helper_cdb_in_request(void)
{
	struct request *rq = NULL;
	struct scsi_cmnd *cmd = blk_mq_rq_to_pdu(rq);

	return (size_t)cmd->cmnd - (size_t)rq;
}

size_t sgio_helper_sizeof_cdb(void);
size_t sgio_helper_sizeof_cdb(void)
{
	return sizeof_field(struct scsi_cmnd, cmnd);
}

unsigned int sgio_helper_scsi_device_host_no(struct scsi_device *sdev);
unsigned int sgio_helper_scsi_device_host_no(struct scsi_device *sdev)
{
	return sdev->host->host_no;
}

bool sgio_helper_scsi_device_lun_in_cdb(const struct scsi_device *sdev);
bool sgio_helper_scsi_device_lun_in_cdb(const struct scsi_device *sdev)
{
	return sdev->lun_in_cdb;
}

const struct bus_type *sgio_helper_scsi_host_bus(struct Scsi_Host *shost);
const struct bus_type *sgio_helper_scsi_host_bus(struct Scsi_Host *shost)
{
	return shost->shost_gendev.bus;
}

int sgio_helper_scsi_ioctl_from_here(struct scsi_device *sdev, bool open_for_write, int cmd,
				     void __user *arg);
int sgio_helper_scsi_ioctl_from_here(struct scsi_device *sdev, bool open_for_write, int cmd,
				     void __user *arg)
{
	int ret = scsi_ioctl(sdev, open_for_write, cmd, arg);

	/* A tail call would come from elsewhere. */
	barrier();
	return ret;
}

int sgio_helper_scsi_rescan_device_from_here(struct scsi_device *sdev);
int sgio_helper_scsi_rescan_device_from_here(struct scsi_device *sdev)
{
	int ret = scsi_rescan_device(sdev);

	/* A tail call would come from elsewhere. */
	barrier();
	return ret;
}

/* Ends a request of sg that was not executed: CHECK CONDITION, ACCESS DENIED - NO ACCESS RIGHTS. */
void sgio_helper_sg_refuse(struct request *rq);
void sgio_helper_sg_refuse(struct request *rq)
{
	struct scsi_cmnd *scmd = blk_mq_rq_to_pdu(rq);

	/* It is cleared when a command is prepared; until then it has the sense data of another one, maybe of others. */
	memset(scmd->sense_buffer, 0, SCSI_SENSE_BUFFERSIZE);
	scsi_build_sense_buffer(0, scmd->sense_buffer, ILLEGAL_REQUEST, 0x20, 0x02);
	scmd->result = SAM_STAT_CHECK_CONDITION;
	scmd->sense_len = 8 + scmd->sense_buffer[7];
	scmd->resid_len = blk_rq_bytes(rq);
	if (rq->end_io(rq, BLK_STS_OK, NULL) == RQ_END_IO_FREE)
		blk_mq_free_request(rq);
}
